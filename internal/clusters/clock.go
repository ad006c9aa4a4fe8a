package clusters

import (
	"context"
	"net/http"
	"strings"
	"time"
)

// ClockSkew returns by how much the clock of the API server is ahead of the given
// one; 0 if the server does not say what time it has. It is exact to about a
// second and the time that the request takes.
func ClockSkew(ctx context.Context, c *Connection, clock func() time.Time) time.Duration {
	if c.connect() != nil {
		return 0
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(c.clients.core.Get().AbsPath("/version").URL().String(), "/"), http.NoBody)
	if err != nil {
		return 0
	}
	response, err := c.clients.http.Do(request)
	if err != nil {
		return 0
	}
	defer func() { _ = response.Body.Close() }()
	date, err := http.ParseTime(response.Header.Get("Date"))
	if err != nil {
		return 0
	}
	return date.Sub(clock())
}
