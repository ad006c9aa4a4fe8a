package apply

import (
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/meshctl/meshctl/internal/rollout"
)

// metrics are what /metrics serves, in the text format of Prometheus. They are few,
// so that they need no library.
type metrics struct {
	mu sync.Mutex
	// leads says that this process holds the Lease.
	leads bool
	// held is what the last pass with a plan held back, by cluster.
	held []rollout.HeldCounts
	// succeeded and failed count passes.
	succeeded, failed int
}

// note takes over the result of a pass.
func (m *metrics) note(pass *rollout.Pass) {
	if pass.Interrupted {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.leads = true
	if pass.Plan != nil {
		m.held = pass.HeldCounts()
	}
	if pass.Err != nil || pass.Plan.Failed() {
		m.failed++
	} else {
		m.succeeded++
	}
}

// standBy forgets what another process reports from now on.
func (m *metrics) standBy() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.leads, m.held = false, nil
}

// ServeHTTP implements http.Handler.
func (m *metrics) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_, _ = w.Write([]byte(m.text()))
}

func (m *metrics) text() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out strings.Builder
	begin := func(name, kind, help string) {
		fmt.Fprintf(&out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
	}
	leads := 0
	if m.leads {
		leads = 1
	}
	begin("meshctl_leader", "gauge", "1 if this process holds the Lease and applies.")
	fmt.Fprintf(&out, "meshctl_leader %d\n", leads)
	begin("meshctl_passes_total", "counter", "Passes of this process over all clusters.")
	fmt.Fprintf(&out, "meshctl_passes_total{result=\"succeeded\"} %d\nmeshctl_passes_total{result=\"failed\"} %d\n", m.succeeded, m.failed)
	const losses, domains = "meshctl_held_changes", "meshctl_unaccepted_trust_domains"
	begin(losses, "gauge", "Changes that are held back because they would remove protection.")
	for _, c := range m.held {
		fmt.Fprintf(&out, "%s{cluster=\"%s\"} %d\n", losses, labelValue(c.Cluster), c.Losses)
	}
	begin(domains, "gauge", "Meshes with a changed trust domain that was not accepted; nothing is written to their cluster.")
	for _, c := range m.held {
		fmt.Fprintf(&out, "%s{cluster=\"%s\"} %d\n", domains, labelValue(c.Cluster), c.TrustDomains)
	}
	return out.String()
}

// labelValue escapes the value of a label.
func labelValue(text string) string {
	return strings.NewReplacer("\\", "\\\\", "\"", "\\\"", "\n", "\\n").Replace(text)
}
