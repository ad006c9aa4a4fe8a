package kube

import (
	"context"
	"net/http"
	"time"
)

// ServerTime returns the time of the API server, rounded down to seconds. It
// returns false if the answer has no date.
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

// ClockSkew returns by how much the clock of the API server is ahead of clock; 0
// if its time is not known. The accuracy is about one second plus the duration of
// the request.
func ClockSkew(ctx context.Context, c *Connection, clock func() time.Time) time.Duration {
	date, known := ServerTime(ctx, c)
	if !known {
		return 0
	}
	return date.Sub(clock())
}
