package describe

import "github.com/meshctl/meshctl/internal/policy/selector"

// Text describes which requests match.
func (m *RequestMatch) Text() string {
	if m == nil {
		return (*selector.RequestMatch)(nil).Text()
	}
	return (&selector.RequestMatch{URI: m.URI, Method: m.Method, Headers: m.Headers, QueryParameters: m.QueryParameters}).Text()
}
