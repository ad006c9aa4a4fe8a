package sharedtrust_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/restart"
	"github.com/meshctl/meshctl/internal/sharedtrust"
	"github.com/meshctl/meshctl/internal/world"
)

// inspect returns a report in which all facts known only to clusters have the given values.
func inspect(t *testing.T, m *memory, s *sharedtrust.Subject, w *world.World) *sharedtrust.Report {
	t.Helper()
	nobody := func(string) (*kube.Connection, error) { return nil, errors.New("nobody is asked") }
	report, err := sharedtrust.Inspect(t.Context(), m.env(), s, w, nobody, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	for i := range report.Reports {
		report.Reports[i].ReachErr, report.Reports[i].OlderErr = nil, nil
	}
	return report
}

func problems(report *sharedtrust.Report, now time.Time, warning time.Duration) []string {
	var texts []string
	for _, p := range report.Problems(now, warning) {
		text := strings.TrimSpace(fmt.Sprintf("%s %s %s", p.Severity, p.Topic, p.Cluster))
		if p.Unknown {
			text += " unknown"
		}
		texts = append(texts, text)
	}
	return texts
}

// TestProblems checks what requires action, and that nothing does if everything is fine.
func TestProblems(t *testing.T) {
	t.Parallel()
	const month = 30 * 24 * time.Hour
	result := evaluated(t, shared(`{generated: {rsaKeySizeBytes: 2048, ttlDays: 1000}}`, ""), "east", "west")
	s := subject(t, result)
	m := newMemory()
	if _, err := issue(t, m, s, false); err != nil {
		t.Fatal(err)
	}
	days := func(n int) time.Time { return now().Add(time.Duration(n) * 24 * time.Hour) }
	check := func(name string, report *sharedtrust.Report, at time.Time, want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, problems(report, at, month)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	check("everything is fine", inspect(t, m, s, result.World), now())
	check("certificates end soon", inspect(t, m, s, result.World), days(340), "warning trust-certificates east", "warning trust-certificates west")
	check("the root ends soon", inspect(t, m, s, result.World), days(980), "warning trust-root", "error trust-certificates east", "error trust-certificates west")

	older := inspect(t, m, s, result.World)
	older.Reports[1].Older = []restart.Item{{Ref: restart.Ref{Kind: "Deployment", Namespace: "shop", Name: "web"}}}
	check("older workloads", older, now(), "warning trust-restarts west")

	stale := inspect(t, m, s, result.World)
	stale.Reports[0].Reach = []sharedtrust.NamespaceTrust{{Namespace: "a"}, {Namespace: "b", Lacks: stale.Reports[0].Bundle.Roots}, {Namespace: "c", Missing: true}}
	check("a namespace without the root, and one of which nothing is known", stale, now(), "warning trust-distribution east unknown", "warning trust-distribution east")

	forbidden := inspect(t, m, s, result.World)
	forbidden.Reports[0].Err = &kube.Error{Cluster: "east", Reason: kube.ReasonForbidden}
	check("a Secret that may not be read", forbidden, now(), "error trust-certificates east unknown")

	fewer := *s
	fewer.Meshes = s.Meshes[:1]
	check("a mesh that left", inspect(t, m, &fewer, result.World), now(), "warning trust-left west")

	if _, err := advance(t, m, s); err != nil {
		t.Fatal(err)
	}
	check("a rotation", inspect(t, m, s, result.World), now(), "warning trust-rotation")
	m.down["west"] = true
	if _, err := advance(t, m, s); err != nil {
		t.Fatal(err)
	}
	check("a rotation that failed", inspect(t, m, s, result.World), now(), "error trust-certificates west", "error trust-rotation")

	findings := older.Findings(result.World, now(), month)
	if len(findings) != 1 || string(findings[0].Code) != "MC0705" || findings[0].Object != "Mesh/istiod-west.gloo-mesh" {
		t.Errorf("findings are %+v", findings)
	}
	codes := map[string]bool{}
	for _, topic := range []sharedtrust.Topic{
		sharedtrust.TopicRoot, sharedtrust.TopicCertificates, sharedtrust.TopicRotation, sharedtrust.TopicDistribution, sharedtrust.TopicRestarts, sharedtrust.TopicLeft,
	} {
		code := sharedtrust.CodeOf(topic)
		codes[string(code)] = true
		if code.Entry().Title == "" {
			t.Errorf("%s has no entry in the catalogue", topic)
		}
	}
	if len(codes) != 6 {
		t.Errorf("the topics have %d codes", len(codes))
	}
}

// TestRenewal checks that a certificate is renewed when it is due, and that the new one does
// not outlive the root.
func TestRenewal(t *testing.T) {
	t.Parallel()
	m, s := newMemory(), subject(t, evaluated(t, `{shared: {rootCertificateAuthority: {generated: {rsaKeySizeBytes: 2048, ttlDays: 120}}, intermediateCertOptions: {rsaKeySizeBytes: 2048, ttlDays: 100, secretRotationGracePeriodRatio: 0.2}}}`, "east"))
	if _, err := issue(t, m, s, false); err != nil {
		t.Fatal(err)
	}
	first := m.bundles(t)["east"].Certificate
	at := func(days int) (string, error) {
		env := m.env()
		env.Now = func() time.Time { return now().Add(time.Duration(days) * 24 * time.Hour) }
		v, err := sharedtrust.Look(t.Context(), env, s)
		if err != nil {
			return "", err
		}
		outcomes, err := env.Issue(t.Context(), v, v.Plan(false), kube.DryRunNone)
		return tally(outcomes), err
	}
	for _, step := range []struct {
		days int
		want string
	}{{79, "east keep"}, {81, "east reissue"}, {82, "east keep"}} {
		if got, err := at(step.days); err != nil || got != step.want {
			t.Errorf("after %d days: %s, want %s: %v", step.days, got, step.want, err)
		}
	}
	second := m.bundles(t)["east"].Certificate
	root := m.roots(t)["prod.gloo-mesh"]
	if second.Equal(first) || !second.NotAfter.Equal(root.NotAfter) {
		t.Errorf("the new certificate ends at %s, the root at %s", second.NotAfter, root.NotAfter)
	}
}
