package kube

import (
	"context"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
)

// DefaultReadLimit is the default limit in bytes for reading one cluster for one
// purpose: a list with all its pages, or all requests of one Ask.
const DefaultReadLimit = 512 << 20

// readLimits limit what is read from one cluster.
type readLimits struct {
	// bytes limits the bytes read for one purpose.
	bytes int64
	// objects, pages and time limit one list. They complement bytes: small
	// objects take many times their size in memory, and empty pages take nothing.
	objects, pages int
	time           time.Duration
}

// limitsOf returns the limits for the options. A higher byte limit raises the
// object limit in proportion.
func limitsOf(opts Options) readLimits {
	const bytesPerObject, pagesPerObjects, listTime = 2 << 10, 4, 5 * time.Minute
	limits := readLimits{bytes: opts.ReadLimit, time: listTime}
	if limits.bytes <= 0 {
		limits.bytes = DefaultReadLimit
	}
	limits.objects = max(pageSize, int(limits.bytes/bytesPerObject))
	limits.pages = pagesPerObjects * limits.objects / pageSize
	return limits
}

// guard is a transport that protects meshctl from faulty or hostile API servers:
// it limits the size of answers, follows no redirects, and rejects answers that
// no API server gives.
//
// It is the innermost transport, so that no client can bypass it and it sees
// answers after decompression.
type guard struct {
	next http.RoundTripper
	// limit applies to requests without a budget in their context.
	limit int64
	// waiting is called when an answer is waited for, and what it returns when it has
	// been read.
	waiting func() (end func())
}

// RoundTrip implements http.RoundTripper.
func (g *guard) RoundTrip(request *http.Request) (*http.Response, error) {
	end := sync.OnceFunc(g.waiting())
	response, err := g.next.RoundTrip(request)
	if err != nil {
		end()
		return nil, err
	}
	if err := checkAnswer(request, response); err != nil {
		end()
		_ = response.Body.Close()
		return nil, err
	}
	if response.Body == nil || request.URL.Query().Get("watch") != "" {
		end() // a watch goes on for as long as it likes
		return response, nil
	}
	response.Body = &boundedBody{ReadCloser: response.Body, budget: budgetOf(request.Context(), g.limit), end: end}
	return response, nil
}

// WrappedRoundTripper gives client-go access to the wrapped transport.
func (g *guard) WrappedRoundTripper() http.RoundTripper { return g.next }

// checkAnswer rejects redirects and answers that are not from a Kubernetes API.
//
// API servers do not redirect, and following a redirect would send the
// credentials to an address that the answer chooses.
func checkAnswer(request *http.Request, response *http.Response) error {
	const firstRedirect, firstError = 300, 400
	if response.StatusCode >= firstRedirect && response.StatusCode < firstError && response.Header.Get("Location") != "" {
		return &foreignAnswerError{what: "redirects to " + redirectTarget(request, response) + ", which is not followed"}
	}
	header := response.Header.Get("Content-Type")
	kind, _, err := mime.ParseMediaType(header)
	switch {
	case header == "":
		return nil
	case err != nil:
		return &foreignAnswerError{what: fmt.Sprintf("answers with content of the malformed type %q", header)}
	case kind == "text/html" || kind == "application/xhtml+xml":
		return &foreignAnswerError{what: "answers with a web page (" + statusText(response) + ")"}
	case response.StatusCode >= firstRedirect, kind == runtime.ContentTypeJSON, kind == runtime.ContentTypeProtobuf,
		kind == runtime.ContentTypeYAML, strings.HasSuffix(kind, "+json"):
		// API servers also send errors as plain text.
		return nil
	default:
		return &foreignAnswerError{what: "answers with content of type " + kind}
	}
}

// redirectTarget returns the target of a redirect without secrets that it may
// contain.
func redirectTarget(request *http.Request, response *http.Response) string {
	target, err := response.Location()
	if err != nil {
		return "an address that is none"
	}
	if target.Scheme == request.URL.Scheme && target.Host == request.URL.Host {
		return "another path of its own"
	}
	return (&url.URL{Scheme: target.Scheme, Host: target.Host}).String()
}

func statusText(response *http.Response) string {
	text := fmt.Sprint(response.StatusCode)
	if known := http.StatusText(response.StatusCode); known != "" {
		text += " " + known
	}
	return text
}

// foreignAnswerError means that a server's answer is not from a Kubernetes API.
type foreignAnswerError struct{ what string }

// Error returns a clause that follows the name of the server.
func (e *foreignAnswerError) Error() string { return e.what }

// tooMuchError means that an answer exceeds a limit.
type tooMuchError struct{ what string }

// Error names the exceeded limit.
func (e *tooMuchError) Error() string { return e.what }

// budget counts the bytes that may still be read.
type budget struct {
	limit int64
	left  atomic.Int64
}

func newBudget(limit int64) *budget {
	b := &budget{limit: limit}
	b.left.Store(limit)
	return b
}

// budgetKey is the context key of the budget.
type budgetKey struct{}

// withBudget makes all requests of the context share one budget: the existing
// one, or a new one.
func (c *Connection) withBudget(ctx context.Context) context.Context {
	if _, found := ctx.Value(budgetKey{}).(*budget); found {
		return ctx
	}
	return context.WithValue(ctx, budgetKey{}, newBudget(c.limits.bytes))
}

// budgetOf returns the budget of a request's context, or a new one.
func budgetOf(ctx context.Context, limit int64) *budget {
	if shared, found := ctx.Value(budgetKey{}).(*budget); found {
		return shared
	}
	return newBudget(limit)
}

// boundedBody is a response body that counts against a budget.
type boundedBody struct {
	io.ReadCloser
	budget *budget
	// end is called when no more is read.
	end func()
}

// Read implements io.Reader.
func (b *boundedBody) Read(into []byte) (int, error) {
	n, err := b.ReadCloser.Read(into)
	if b.budget.left.Add(-int64(n)) < 0 {
		return 0, &tooMuchError{what: "the answers are larger than " + sizeText(b.budget.limit)}
	}
	if err != nil {
		b.end()
	}
	return n, err
}

// Close implements io.Closer.
func (b *boundedBody) Close() error {
	b.end()
	return b.ReadCloser.Close()
}

// sizeText returns a number of bytes as people write it.
func sizeText(bytes int64) string {
	const mebi = 1 << 20
	if bytes >= mebi && bytes%mebi == 0 {
		return fmt.Sprintf("%d MiB", bytes/mebi)
	}
	return fmt.Sprintf("%d bytes", bytes)
}
