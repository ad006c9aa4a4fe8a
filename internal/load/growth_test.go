package load

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/meshctl/meshctl/internal/testkit/cputime"
	"github.com/meshctl/meshctl/pkg/api/validation"
)

// repeat concatenates text(i) for every i below n.
func repeat(n int, text func(i int) string) string {
	var all strings.Builder
	for i := range n {
		all.WriteString(text(i))
	}
	return all.String()
}

// headed returns an object of the networking or discovery group that starts with the usual
// header.
func headed(group, kind, rest string) string {
	return fmt.Sprintf("---\napiVersion: %s.mesh.gloo.solo.io/v1\nkind: %s\nmetadata:\n  name: a\n%s", group, kind, rest)
}

// hostile returns manifests that an attacker might write to keep meshctl busy; their size
// grows with n.
func hostile() map[string]func(n int) string {
	policy := func(rest string) string { return headed("networking", "TrafficPolicy", rest) }
	workload := func(rest string) string { return headed("discovery", "Workload", rest) }
	line := func(format string) func(int) string {
		return func(i int) string { return fmt.Sprintf(format, i) }
	}
	return map[string]func(n int) string{
		"labels that are no text": func(n int) string { return workload("  labels:\n" + repeat(n, line("    l%[1]d: %[1]d\n"))) },
		"labels that are invalid": func(n int) string { return workload("  labels:\n" + repeat(n, line("    l%[1]d: \"- %[1]d\"\n"))) },
		"pod labels of wrong type": func(n int) string {
			return workload("spec:\n  kubernetes:\n    podLabels:\n" + repeat(n, line("      l%[1]d: %[1]d\n")))
		},
		"items of wrong type": func(n int) string { return policy("spec:\n  sourceSelector:\n" + repeat(n, line("  - %d\n"))) },
		"values outside of an enum": func(n int) string {
			return policy("spec:\n  httpRequestMatchers:\n" + repeat(n, line("  - method: M%d\n")))
		},
		"enums of wrong type": func(n int) string {
			return policy("spec:\n  httpRequestMatchers:\n" + repeat(n, line("  - method: %d\n")))
		},
		"required fields": func(n int) string {
			return policy("spec:\n  httpRequestMatchers:\n  - headers:\n" + repeat(n, line("    - value: x%d\n")))
		},
		"unknown fields": func(n int) string { return policy("spec:\n" + repeat(n, line("  f%d: 1\n"))) },
		"nulls":          func(n int) string { return policy("spec:\n" + repeat(n, line("  f%d: null\n"))) },
		"long list": func(n int) string {
			return policy("spec:\n  sourceSelector:\n" + repeat(n, line("  - kubeWorkloadMatcher: {namespaces: [n%d]}\n")))
		},
		"nested brackets": func(n int) string { return policy("spec: " + strings.Repeat("[", n) + strings.Repeat("]", n) + "\n") },
		"nested braces":   func(n int) string { return `{"a":` + strings.Repeat(`{"a":`, n) + "1" + strings.Repeat("}", n) + "}" },
		"many documents": func(n int) string {
			return repeat(n, func(i int) string { return strings.Replace(policy(""), "name: a", fmt.Sprintf("name: a%d", i), 1) })
		},
		"same object":      func(n int) string { return strings.Repeat(policy(""), n) },
		"broken documents": func(n int) string { return strings.Repeat("---\na: [\n", n) },
		"empty documents":  func(n int) string { return strings.Repeat("---\n", 20*n) },
		"same key":         func(n int) string { return policy("spec:\n" + strings.Repeat("  a: 1\n", n)) },
		"same key in JSON": func(n int) string { return `{"a":1` + strings.Repeat(`,"a":1`, n) + "}" },
		"items of a List": func(n int) string {
			return "apiVersion: v1\nkind: List\nitems:\n" + repeat(n, line("- {apiVersion: v1, kind: Pod, metadata: {name: p%d}}\n"))
		},
		"late kind": func(n int) string {
			return "items:\n" + repeat(n, line("- metadata: {name: p%d}\n")) + "kind: TrafficPolicyList\napiVersion: networking.mesh.gloo.solo.io/v1\n"
		},
		"items over and over": func(n int) string { return strings.Repeat("items:\n- a: 1\n", n) },
		"merged keys":         func(n int) string { return "a: &a {x: 1}\nb:\n" + strings.Repeat("- <<: *a\n  x: 2\n", n) },
		"long name": func(n int) string {
			return strings.Replace(policy(""), "name: a", "name: "+strings.Repeat("a", 20*n), 1)
		},
		"long kind":  func(n int) string { return headed("networking", strings.Repeat("T", 20*n), "") },
		"long field": func(n int) string { return policy("spec:\n  " + strings.Repeat("f", 20*n) + ": 1\n") },
		"long line":  func(n int) string { return policy("  annotations:\n    a: " + strings.Repeat("x ", 20*n) + "\n") },
	}
}

// TestReadingGrowsWithTheInput reads hostile manifests of two sizes and compares the CPU
// times: eight times the size must not take much more than eight times as long. A quadratic
// step would take 64 times as long.
//
//nolint:paralleltest // It measures the processor time of the process.
func TestReadingGrowsWithTheInput(t *testing.T) {
	const (
		small, factor = 500, 8
		allowed       = 4 * factor
		// noise is the tolerated measurement error.
		noise = 20 * time.Millisecond
	)
	v := validation.New()
	cost := func(text string) time.Duration {
		least := time.Duration(0)
		for range 2 {
			runtime.GC()
			start := cputime.Used()
			// Errors, for example about duplicate objects, do not matter here.
			_, _ = Files(t.Context(), FileOptions{Paths: []string{"-"}, Stdin: strings.NewReader(text)}, v)
			if used := cputime.Used() - start; least == 0 || used < least {
				least = used
			}
		}
		return least
	}
	cost(headed("networking", "TrafficPolicy", "") + headed("discovery", "Workload", ""))
	for name, input := range hostile() {
		few, many := cost(input(small)), cost(input(factor*small))
		if many > allowed*few+noise {
			t.Errorf("%s: %d times the size take %v instead of %v", name, factor, many, few)
		}
	}
}
