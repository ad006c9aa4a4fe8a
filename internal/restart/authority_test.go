package restart

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/meshctl/meshctl/internal/kube"
)

func TestDataChangedAt(t *testing.T) {
	t.Parallel()
	at := func(minute int) time.Time { return time.Date(2026, 3, 1, 12, minute, 0, 0, time.UTC) }
	entry := func(manager string, minute int, fields string) metav1.ManagedFieldsEntry {
		stamp := metav1.NewTime(at(minute))
		return metav1.ManagedFieldsEntry{Manager: manager, Time: &stamp, FieldsV1: metav1.NewFieldsV1(fields)}
	}
	const data, labels = `{"f:data":{".":{},"f:ca-cert.pem":{}}}`, `{"f:metadata":{"f:labels":{"f:data":{}}}}`
	tests := map[string]struct {
		entries []metav1.ManagedFieldsEntry
		want    int
	}{
		"no managed fields":         {nil, 0},
		"our own write":             {[]metav1.ManagedFieldsEntry{entry("meshctl", 1, data), entry("kubectl", 2, data)}, 1},
		"our newest write":          {[]metav1.ManagedFieldsEntry{entry("meshctl", 3, data), entry("meshctl", 1, data)}, 3},
		"the newest of others":      {[]metav1.ManagedFieldsEntry{entry("istiod", 1, data), entry("kubectl", 2, data)}, 2},
		"labels are no certificate": {[]metav1.ManagedFieldsEntry{entry("meshctl", 5, `{"f:metadata":{"f:labels":{"f:a":{}}}}`), entry("kubectl", 2, data)}, 2},
		"a label called data":       {[]metav1.ManagedFieldsEntry{entry("meshctl", 5, labels)}, 0},
		"no time":                   {[]metav1.ManagedFieldsEntry{{Manager: "meshctl", FieldsV1: metav1.NewFieldsV1(data)}}, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			meta := &metav1.ObjectMeta{CreationTimestamp: metav1.NewTime(at(0)), ManagedFields: tt.entries}
			if got := dataChangedAt(meta); !got.Equal(at(tt.want)) {
				t.Errorf("got %s, want minute %d", got, tt.want)
			}
		})
	}
}

// TestAuthorityChangedAtReadsNoKey checks that only metadata is requested.
func TestAuthorityChangedAtReadsNoKey(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if accept := r.Header.Get("Accept"); accept != "application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json" &&
			accept != "application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1" {
			t.Errorf("it accepts %s", accept)
		}
		w.Header().Set("Content-Type", "application/json")
		switch r.URL.Path {
		case "/api/v1/namespaces/istio-system/secrets/cacerts":
			_, _ = w.Write([]byte(`{"apiVersion":"meta.k8s.io/v1","kind":"PartialObjectMetadata","metadata":{"name":"cacerts","creationTimestamp":"2026-03-01T12:00:00Z"}}`))
		case "/api/v1/namespaces/none/secrets/cacerts":
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte(`{"apiVersion":"v1","kind":"Status","status":"Failure","reason":"NotFound","code":404,"details":{"name":"cacerts","kind":"secrets"}}`))
		default:
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte(`{"apiVersion":"v1","kind":"Status","status":"Failure","reason":"Forbidden","code":403,"message":"secrets is forbidden: no"}`))
		}
	}))
	t.Cleanup(server.Close)
	c := kube.New("east", kube.SourceContext, &rest.Config{Host: server.URL}, kube.Options{})
	changed, found, err := authorityChangedAt(t.Context(), c, "istio-system")
	if want := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC); err != nil || !found || !changed.Equal(want) {
		t.Errorf("got %s, %t, %v", changed, found, err)
	}
	if changed, found, err := authorityChangedAt(t.Context(), c, "none"); err != nil || found || !changed.IsZero() {
		t.Errorf("got %s, %t, %v", changed, found, err)
	}
	_, _, err = authorityChangedAt(t.Context(), c, "secret")
	if want := "cannot read when Secret cacerts in secret last changed on cluster east: forbidden: no: get this permission, or use other credentials"; err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}
