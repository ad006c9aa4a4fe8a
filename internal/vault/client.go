package vault

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

const (
	// answerTimeout limits one attempt of a request.
	answerTimeout = 30 * time.Second
	// attempts is the maximum number of attempts for repeatable requests.
	attempts = 3
	// firstPause is the pause before the second attempt; it doubles with each
	// further attempt.
	firstPause = 200 * time.Millisecond
	// maxAnswer is the maximum size of an answer in bytes. Long chains have some
	// ten thousand.
	maxAnswer = 1 << 20
)

// Client talks to one Vault. It may be used by several goroutines.
type Client struct {
	config      Config
	credentials Credentials
	now         func() time.Time
	http        *http.Client
	pause       time.Duration

	mu sync.Mutex // Guards the token of a login.
	// session is the token of a login; nil before the login.
	session secret
}

// New returns a client. It connects on the first request and logs in once if the
// credentials require it; Logout revokes that login. now is the clock for
// certificate lifetimes.
func New(config Config, credentials Credentials, now func() time.Time) *Client {
	return &Client{
		config:      config,
		credentials: credentials,
		now:         now,
		pause:       firstPause,
		http: &http.Client{
			Timeout: answerTimeout,
			Transport: &http.Transport{
				Proxy:               http.ProxyFromEnvironment,
				TLSClientConfig:     &tls.Config{RootCAs: config.roots, MinVersion: tls.VersionTLS12},
				TLSHandshakeTimeout: answerTimeout,
				ForceAttemptHTTP2:   true,
				// One command makes few requests.
				MaxIdleConnsPerHost: 1,
				IdleConnTimeout:     answerTimeout,
			},
			// Following a redirect would send the token to an address that the
			// answer chooses.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// String returns the name of the server without credentials.
func (c *Client) String() string { return "Vault at " + c.config.Server() }

// Logout revokes the token of a login, so that it does not outlive its use. It
// does nothing for credentials that are a token.
func (c *Client) Logout(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	token := c.session
	if token == nil {
		return nil
	}
	c.session = nil
	_, err := c.send(ctx, request{
		action: "end the session", method: http.MethodPost, path: "auth/token/revoke-self", token: token,
	})
	return err
}

// token returns the token for requests and logs in first if necessary.
func (c *Client) token(ctx context.Context) (secret, error) {
	login := c.credentials.login
	if login == nil {
		return c.credentials.token, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.session != nil {
		return c.session, nil
	}
	r := request{
		action: fmt.Sprintf("log in as Kubernetes role %q", login.role),
		method: http.MethodPost,
		path:   "auth/" + login.mount + "/login",
		body:   map[string]any{"role": login.role, "jwt": login.jwt.reveal()},
		// Repeating a login only creates another token.
		repeatable: true,
	}
	body, err := c.send(ctx, r)
	var failure *Error
	if errors.As(err, &failure) && (failure.Status == http.StatusForbidden || failure.Status == http.StatusBadRequest) {
		failure.Hint = fmt.Sprintf("check that the role exists at auth/%s, and that it is bound to the service account, its namespace and the audience of its token", login.mount)
	}
	if err != nil {
		return nil, err
	}
	var answer struct {
		Auth struct {
			ClientToken string `json:"client_token"`
		} `json:"auth"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || checkToken(answer.Auth.ClientToken) != nil {
		return nil, c.failed(r, "the answer has no token", "check that the path belongs to a Kubernetes authentication method")
	}
	c.session = newSecret(answer.Auth.ClientToken)
	return c.session, nil
}

// request is one request to Vault.
type request struct {
	action, method, path string
	// body is sent as JSON; nil sends none.
	body map[string]any
	// repeatable is true if repeating the request is harmless. Other requests are
	// repeated only if the server cannot have received them.
	repeatable bool
	token      secret
}

// ask sends the request with the token of the client.
func (c *Client) ask(ctx context.Context, r request) ([]byte, error) {
	token, err := c.token(ctx)
	if err != nil {
		return nil, err
	}
	r.token = token
	return c.send(ctx, r)
}

// send makes the request, retries it where that can help, and returns the body of
// a successful answer.
func (c *Client) send(ctx context.Context, r request) ([]byte, error) {
	var content []byte
	if r.body != nil {
		var err error
		if content, err = json.Marshal(r.body); err != nil {
			return nil, c.failed(r, "the request cannot be encoded", "")
		}
	}
	pause := c.pause
	for attempt := 1; ; attempt++ {
		body, again, err := c.try(ctx, r, content)
		if err == nil || !again || attempt == attempts {
			return body, err
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, err
		case <-timer.C:
		}
		pause *= 2
	}
}

// try makes one attempt. again is true if a retry is harmless and could succeed.
func (c *Client) try(ctx context.Context, r request, content []byte) (body []byte, again bool, err error) {
	address := c.config.server.JoinPath("v1", r.path)
	httpRequest, err := http.NewRequestWithContext(ctx, r.method, address.String(), bytes.NewReader(content))
	if err != nil {
		return nil, false, c.failed(r, "the request cannot be made", "")
	}
	// Vault agents and proxies may require this header, because browsers cannot
	// be tricked into sending it.
	httpRequest.Header.Set("X-Vault-Request", "true")
	if content != nil {
		httpRequest.Header.Set("Content-Type", "application/json")
	}
	if token := r.token.reveal(); token != "" {
		httpRequest.Header.Set("X-Vault-Token", token)
	}
	if c.config.namespace != "" {
		httpRequest.Header.Set("X-Vault-Namespace", c.config.namespace)
	}

	response, err := c.http.Do(httpRequest)
	if err != nil {
		return nil, c.mayRepeat(ctx, r, err), c.noAnswer(ctx, r, err)
	}
	defer response.Body.Close() //nolint:errcheck // The body was only read.
	body, err = io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		return nil, c.mayRepeat(ctx, r, err), c.noAnswer(ctx, r, err)
	}
	if len(body) > maxAnswer {
		return nil, false, c.failed(r, fmt.Sprintf("the answer is larger than %d KiB", maxAnswer>>10), "check that server is the address of Vault")
	}
	if response.StatusCode < 200 || response.StatusCode > 299 {
		failure := c.answerError(r, response, body)
		return nil, r.repeatable && isTemporary(failure), failure
	}
	return body, false, nil
}

// mayRepeat decides whether to retry requests without an answer. A slow server is
// not asked again, because tripling the wait does not help.
func (c *Client) mayRepeat(ctx context.Context, r request, err error) bool {
	var timeout interface{ Timeout() bool }
	if ctx.Err() != nil || errors.As(err, &timeout) && timeout.Timeout() {
		return false
	}
	var certificate *tls.CertificateVerificationError
	if errors.As(err, &certificate) {
		return false
	}
	return r.repeatable || notSent(err)
}

// isTemporary reports whether a failure may be temporary: a gateway error during a
// restart, a change of the leader, a rate limit.
func isTemporary(failure *Error) bool {
	switch failure.Status {
	case http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway, http.StatusGatewayTimeout:
		return true
	case http.StatusServiceUnavailable:
		return !strings.Contains(strings.ToLower(failure.Why), "sealed")
	default:
		return false
	}
}

func (c *Client) noAnswer(ctx context.Context, r request, err error) *Error {
	why, hint := transportProblem(ctx, err)
	failure := c.failed(r, why, hint)
	failure.cause = err
	if ctx.Err() != nil {
		failure.cause = ctx.Err()
	}
	return failure
}

// answerError returns the error for an unsuccessful answer.
func (c *Client) answerError(r request, response *http.Response, body []byte) *Error {
	detail := c.detail(r, body)
	why := fmt.Sprintf("the server answers %d %s", response.StatusCode, http.StatusText(response.StatusCode))
	if location := response.Header.Get("Location"); response.StatusCode < 400 && location != "" {
		why += ", a redirection to " + oneLine(location)
	}
	if detail != "" {
		why += ": " + detail
	}
	failure := c.failed(r, why, statusHint(response.StatusCode, r.method, r.path, c.config.namespace, detail))
	failure.Status = response.StatusCode
	return failure
}

// detail returns the error text in an unsuccessful answer of Vault.
func (c *Client) detail(r request, body []byte) string {
	var answer struct {
		Errors   []string `json:"errors"`
		Warnings []string `json:"warnings"`
	}
	if json.Unmarshal(body, &answer) == nil {
		return c.sanitise(r, strings.Join(append(answer.Errors, answer.Warnings...), "; "))
	}
	// A proxy in front of Vault may answer with a page of HTML.
	if text := strings.TrimSpace(string(body)); !strings.HasPrefix(text, "<") {
		return c.sanitise(r, text)
	}
	return ""
}

// sanitise makes a server's text fit for an error and redacts secrets that it may
// repeat.
func (c *Client) sanitise(r request, text string) string {
	secrets := []secret{r.token, c.credentials.token}
	if c.credentials.login != nil {
		secrets = append(secrets, c.credentials.login.jwt)
	}
	for _, s := range secrets {
		if value := s.reveal(); value != "" {
			text = strings.ReplaceAll(text, value, redacted)
		}
	}
	return oneLine(text)
}

func (c *Client) failed(r request, why, hint string) *Error {
	return &Error{Server: c.config.Server(), Path: r.path, Action: r.action, Why: why, Hint: hint}
}
