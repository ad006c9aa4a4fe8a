package registration

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshctl/meshctl/internal/kube"
)

// MinTokenTTL is the minimum lifetime of tokens in Kubernetes.
const MinTokenTTL = 10 * time.Minute

func secrets() schema.GroupVersionResource {
	return schema.GroupVersionResource{Version: "v1", Resource: "secrets"}
}

func serviceAccounts() schema.GroupVersionResource {
	return schema.GroupVersionResource{Version: "v1", Resource: "serviceaccounts"}
}

// waitForToken waits until the cluster has stored a token in a Secret.
func waitForToken(ctx context.Context, c *kube.Connection, namespace, name string, limit time.Duration) (string, error) {
	client, err := c.Dynamic()
	if err != nil {
		return "", err
	}
	var token string
	err = c.Await(ctx, limit, "get a token", fmt.Sprintf("Secret %s in %s has none", name, namespace),
		"check that the cluster's controller manager runs, or ask for a token that expires with --token-ttl",
		func(ctx context.Context) (bool, error) {
			secret, err := client.Resource(secrets()).Namespace(namespace).Get(ctx, name, metav1.GetOptions{})
			if err != nil {
				return false, err
			}
			token, err = secretText(secret, "token")
			return token != "", err
		})
	return token, err
}

// secretText returns the value of a key of a Secret, empty if it does not exist.
func secretText(secret *unstructured.Unstructured, key string) (string, error) {
	encoded, _, _ := unstructured.NestedString(secret.Object, "data", key)
	text, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return "", fmt.Errorf("the key %s of Secret %s in %s is not base64", key, secret.GetName(), secret.GetNamespace())
	}
	return string(text), nil
}

// RequestToken requests a token of a service account that expires. The cluster may choose
// another lifetime. The error is that of the request.
func RequestToken(ctx context.Context, c *kube.Connection, namespace, account string, ttl time.Duration) (string, error) {
	client, err := c.Dynamic()
	if err != nil {
		return "", err
	}
	seconds := int64(ttl / time.Second)
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&authenticationv1.TokenRequest{
		TypeMeta:   metav1.TypeMeta{APIVersion: authenticationv1.SchemeGroupVersion.String(), Kind: "TokenRequest"},
		ObjectMeta: metav1.ObjectMeta{Name: account, Namespace: namespace},
		Spec:       authenticationv1.TokenRequestSpec{ExpirationSeconds: &seconds},
	})
	if err != nil {
		return "", fmt.Errorf("encode the request for a token: %w", err)
	}
	answer, err := client.Resource(serviceAccounts()).Namespace(namespace).
		Create(ctx, &unstructured.Unstructured{Object: content}, metav1.CreateOptions{}, "token")
	if err != nil {
		return "", c.Explain("request a token of ServiceAccount "+account+" in "+namespace, err)
	}
	token, _, _ := unstructured.NestedString(answer.Object, "status", "token")
	if token == "" {
		return "", &kube.Error{Cluster: c.Name, Action: "request a token of ServiceAccount " + account + " in " + namespace, Reason: kube.ReasonServerTrouble, Why: "the response has no token"}
	}
	return token, nil
}

// checkTokenTTL returns why a lifetime of tokens is not valid, empty if it is; 0 means no
// expiry.
func checkTokenTTL(ttl time.Duration) string {
	if ttl != 0 && ttl < MinTokenTTL {
		return fmt.Sprintf("the lifetime of a token must be at least %s, got %s", MinTokenTTL, ttl)
	}
	return ""
}

// TokenExpiry returns when a service account token expires according to its claims; nil if it
// has none, as in tokens of Secrets.
func TokenExpiry(token string) *time.Time {
	_, expires := tokenTimes(token)
	return expires
}

// tokenLife returns the lifetime of a token; 0 if it does not expire.
func tokenLife(token string) time.Duration {
	issued, expires := tokenTimes(token)
	if issued == nil || expires == nil || !expires.After(*issued) {
		return 0
	}
	return max(expires.Sub(*issued).Round(time.Second), MinTokenTTL)
}

// tokenTimes returns the times in a token without verifying its signature; nil for missing
// ones.
func tokenTimes(token string) (issued, expires *time.Time) {
	parts := strings.Split(token, ".")
	const all = 3 // header, claims, signature
	if len(parts) != all {
		return nil, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return nil, nil
	}
	var claims struct {
		Issued  *float64 `json:"iat"`
		Expires *float64 `json:"exp"`
	}
	if json.Unmarshal(text, &claims) != nil {
		return nil, nil
	}
	return claimTime(claims.Issued), claimTime(claims.Expires)
}

// claimTime returns the time of a claim, nil if it is missing or invalid.
func claimTime(seconds *float64) *time.Time {
	// the end of the year 9999
	const last = 253402300799
	if seconds == nil || *seconds <= 0 || *seconds > last {
		return nil
	}
	at := time.Unix(int64(*seconds), 0).UTC()
	return &at
}

// verify connects with new credentials and waits until they work. The cluster must be the one
// for which they were created, and must allow them to list what discovery lists. Permissions
// may take a moment to take effect.
func verify(ctx context.Context, c *kube.Connection, uid string, limit time.Duration) error {
	return c.Await(ctx, limit, "use the new credentials", c.Server()+" does not accept them", "check the clocks and the controller manager of the cluster",
		func(ctx context.Context) (bool, error) {
			found, err := c.UID(ctx)
			if err != nil {
				return false, ignoreTransient(err)
			}
			if found != uid {
				return false, &kube.Error{
					Cluster: c.Name, Action: "use the new credentials", Reason: kube.ReasonUnusable,
					Why: c.Server() + " is a different cluster than the one that issued the credentials", Hint: "correct --api-server-address",
				}
			}
			client, err := c.Metadata()
			if err != nil {
				return false, err
			}
			deployments := schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
			if _, err := client.Resource(deployments).List(ctx, metav1.ListOptions{Limit: 1}); err != nil {
				return false, ignoreTransient(err)
			}
			return true, nil
		})
}

// ignoreTransient returns nil for errors that go away once the cluster has processed its new objects,
// and other errors unchanged.
func ignoreTransient(err error) error {
	var e *kube.Error
	if errors.As(err, &e) && (e.Reason == kube.ReasonUnauthorized || e.Reason == kube.ReasonForbidden) ||
		apierrors.IsUnauthorized(err) || apierrors.IsForbidden(err) {
		return nil
	}
	return err
}
