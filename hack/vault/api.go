package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/vault/sdk/logical"
)

// api is the HTTP side of the engines, by the path that each is mounted at.
type api struct {
	operator, signer string

	mounts map[string]mount

	mu     sync.Mutex // Guards the fields below.
	tokens map[string]bool
	sealed bool
}

type mount struct {
	engine  logical.Backend
	storage logical.Storage
}

func newAPI(ctx context.Context, factories map[string]logical.Factory) (*api, error) {
	a := &api{operator: newToken(), signer: newToken(), mounts: map[string]mount{}}
	a.tokens = map[string]bool{a.operator: true, a.signer: true}
	for path, factory := range factories {
		storage := &logical.InmemStorage{}
		engine, err := factory(ctx, &logical.BackendConfig{
			StorageView: storage,
			Logger:      hclog.New(&hclog.LoggerOptions{Output: os.Stderr, Level: hclog.Warn}),
			System:      &logical.StaticSystemView{DefaultLeaseTTLVal: 32 * 24 * time.Hour, MaxLeaseTTLVal: 10 * 365 * 24 * time.Hour},
			BackendUUID: path,
		})
		if err == nil {
			err = engine.Initialize(ctx, &logical.InitializationRequest{Storage: storage})
		}
		if err != nil {
			return nil, fmt.Errorf("mount %s: %w", path, err)
		}
		a.mounts[path] = mount{engine, storage}
	}
	return a, nil
}

func newToken() string { return "hvs." + rand.Text() }

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path, versioned := strings.CutPrefix(r.URL.Path, "/v1/")
	token := r.Header.Get("X-Vault-Token")
	a.mu.Lock()
	sealed, known := a.sealed, a.tokens[token]
	a.mu.Unlock()
	switch {
	case !versioned:
		logical.RespondError(w, http.StatusNotFound, nil)
	case sealed:
		logical.RespondError(w, http.StatusServiceUnavailable, errors.New("Vault is sealed"))
	case !a.allowed(r.Method, path, token, known):
		logical.RespondError(w, http.StatusForbidden, logical.ErrPermissionDenied)
	case path == "sys/seal":
		a.mu.Lock()
		a.sealed = true
		a.mu.Unlock()
		w.WriteHeader(http.StatusNoContent)
	case path == "auth/token/revoke-self":
		a.mu.Lock()
		delete(a.tokens, token)
		a.mu.Unlock()
		w.WriteHeader(http.StatusNoContent)
	default:
		a.pass(w, r, path)
	}
}

// allowed is what policies are in Vault. What the engines serve to everybody
// there - certificates of authorities, logins - is served to everybody here.
func (a *api) allowed(method, path, token string, known bool) bool {
	switch {
	case known && token == a.operator, method == http.MethodGet, strings.HasSuffix(path, "/login"):
		return true
	case known:
		return path == "auth/token/revoke-self" || strings.HasSuffix(path, "/root/sign-intermediate")
	default:
		return false
	}
}

// pass lets the engine answer.
func (a *api) pass(w http.ResponseWriter, r *http.Request, path string) {
	m, rest, found := a.find(path)
	if !found {
		logical.RespondError(w, http.StatusNotFound, fmt.Errorf("no handler for route %q. route entry not found.", path))
		return
	}
	request := &logical.Request{
		ID: rand.Text(), Operation: logical.ReadOperation, Path: rest, MountPoint: strings.TrimSuffix(path, rest), Storage: m.storage,
		Connection: &logical.Connection{RemoteAddr: "127.0.0.1"},
	}
	if r.Method != http.MethodGet {
		request.Operation = logical.UpdateOperation
		if err := json.NewDecoder(r.Body).Decode(&request.Data); err != nil {
			logical.RespondError(w, http.StatusBadRequest, errors.New("failed to parse JSON input"))
			return
		}
		// Some paths tell what is new from what is there, as the core does for them.
		if checked, exists, err := m.engine.HandleExistenceCheck(r.Context(), request); err == nil && checked && !exists {
			request.Operation = logical.CreateOperation
		}
	}
	response, err := m.engine.HandleRequest(r.Context(), request)
	if status, err := logical.RespondErrorCommon(request, response, err); status != 0 || err != nil {
		logical.RespondError(w, status, err)
		return
	}
	if response == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if raw, isRaw := response.Data[logical.HTTPRawBody]; isRaw {
		respondRaw(w, response, raw)
		return
	}
	if response.Auth != nil {
		response.Auth.ClientToken = newToken()
		a.mu.Lock()
		a.tokens[response.Auth.ClientToken] = true
		a.mu.Unlock()
	}
	var body bytes.Buffer
	if err := json.NewEncoder(&body).Encode(logical.LogicalResponseToHTTPResponse(response)); err != nil {
		logical.RespondError(w, http.StatusInternalServerError, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body.Bytes())
}

func respondRaw(w http.ResponseWriter, response *logical.Response, raw any) {
	status, known := response.Data[logical.HTTPStatusCode].(int)
	if !known {
		status = http.StatusOK
	}
	if contentType, known := response.Data[logical.HTTPContentType].(string); known {
		w.Header().Set("Content-Type", contentType)
	}
	w.WriteHeader(status)
	switch body := raw.(type) {
	case []byte:
		_, _ = w.Write(body)
	case string:
		_, _ = w.Write([]byte(body))
	}
}

// find returns the engine that is mounted at the start of the path, and the rest
// of the path.
func (a *api) find(path string) (m mount, rest string, found bool) {
	for prefix, candidate := range a.mounts {
		if rest, found := strings.CutPrefix(path, prefix+"/"); found {
			return candidate, rest, true
		}
	}
	return mount{}, "", false
}
