package kube

import (
	"context"
	"net/http"
	"time"
)

// ServerTime returns what time the API server has, to the second below. It is
// false if the server does not say.
func ServerTime(ctx context.Context, c *Connection) (time.Time, bool) {
	if c.connect() != nil {
		return time.Time{}, false
	}
	address := c.clients.core.Get().AbsPath("/version").URL().String()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return time.Time{}, false
	}
	response, err := c.clients.http.Do(request)
	if err != nil {
		return time.Time{}, false
	}
	defer func() { _ = response.Body.Close() }()
	date, err := http.ParseTime(response.Header.Get("Date"))
	return date, err == nil
}

// ClockSkew returns by how much the clock of the API server is ahead of the given
// one; 0 if the server does not say what time it has. It is exact to about a
// second and the time that the request takes.
func ClockSkew(ctx context.Context, c *Connection, clock func() time.Time) time.Duration {
	date, known := ServerTime(ctx, c)
	if !known {
		return 0
	}
	return date.Sub(clock())
}
