package judge_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/meshctl/meshctl/hack/lab/client"
	"github.com/meshctl/meshctl/hack/lab/echo"
	"github.com/meshctl/meshctl/hack/lab/judge"
)

// TestKnownCases holds that the question of each known disagreement can be asked
// about its world, and that the entry is the one that explains a failure of it.
func TestKnownCases(t *testing.T) {
	t.Parallel()
	ids := map[string]bool{}
	for _, entry := range judge.Known() {
		if ids[entry.ID] || entry.Reason == "" {
			t.Errorf("%s is there twice, or without a reason", entry.ID)
		}
		ids[entry.ID] = true
		q, err := entry.Case.Ask(described(t, entry.Case.World()))
		if err != nil {
			t.Errorf("%s: %v", entry.ID, err)
			continue
		}
		f := newFake([]judge.Question{q})
		f.spoil = func(_ judge.Question, o *client.Outcome, seen *[]echo.Seen) {
			*o, *seen = client.Outcome{GRPCStatus: -1, Failure: client.FailedReset}, nil
		}
		runner := judge.Runner{Sender: f, Known: judge.Known(), Settle: time.Nanosecond}
		report := runner.Run(context.Background(), []judge.Question{q})
		if len(report.Disagreements) == 0 || len(report.Unexplained()) > 0 || report.Disagreements[0].Known != entry.ID {
			t.Errorf("%s does not explain its own case:\n%s%v", entry.ID, report, report.Disagreements)
		}
	}
}

func TestReadDescriptions(t *testing.T) {
	t.Parallel()
	outbound := func(text string) string {
		return `{"kind": "WorkloadDescriptionList", "items": [{"name": "a", "outbound": [` + text + `]}]}`
	}
	tests := []struct{ name, text, want string }{
		{"all is known", outbound(`{"via": "local", "access": {"verdict": "ALLOWED"}, "routes": [{"settings": [{"field": "retries", "value": {}}]}]}`), ""},
		{"another list", `{"kind": "MeshDescriptionList"}`, `this is a "MeshDescriptionList"`},
		{"a verdict", outbound(`{"via": "local", "access": {"verdict": "MAYBE"}}`), `unknown verdict "MAYBE"`},
		{"no verdict of a target", outbound(`{"via": "local", "access": {"verdict": "DENIED"}, "targets": [{}]}`), `unknown verdict ""`},
		{"a way", outbound(`{"via": "air", "access": {"verdict": "DENIED"}}`), `unknown way "air"`},
		{"a setting", outbound(`{"via": "flat", "access": {"verdict": "DENIED"}, "routes": [{"settings": [{"field": "csrf"}]}]}`), `unknown setting "csrf" of a route`},
		{"a setting of connections", outbound(`{"via": "flat", "access": {"verdict": "DENIED"}, "connection": [{"field": "csrf"}]}`), `unknown setting "csrf" of connections`},
		{"no JSON", `items:`, "invalid character"},
	}
	for _, test := range tests {
		_, err := judge.ReadDescriptions(strings.NewReader(test.text))
		switch {
		case err == nil && test.want != "":
			t.Errorf("%s: accepted", test.name)
		case err != nil && (test.want == "" || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%s: %v", test.name, err)
		}
	}
}
