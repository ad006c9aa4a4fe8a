//go:build linux

package tests

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/meshctl/meshctl/hack/lab/judge"
	"github.com/meshctl/meshctl/hack/lab/mesh"
	"github.com/meshctl/meshctl/hack/lab/worldgen"
)

// TestComparison holds what meshctl says about calls against what becomes of
// them, in the bundled world and in random ones.
//
// Every third random world has objects that somebody else wrote, and every third
// one is unusual (see worldgen.Options).
//
//	WORLDS     how many random worlds, 5 by default
//	FIRST      the seed of the first one, 1 by default
//	QUESTIONS  how many questions for each world, 40 by default
//	FOREIGN    0 leaves out the objects of others
func TestComparison(t *testing.T) {
	bundled, err := worldgen.Bundled(root)
	if err != nil {
		t.Fatal(err)
	}
	worlds := []worldgen.World{bundled}
	first := number(t, "FIRST", 1)
	for seed := first; seed < first+number(t, "WORLDS", 5); seed++ {
		worlds = append(worlds, worldgen.Generate(int64(seed), worldgen.Options{Foreign: seed%3 == 0 && os.Getenv("FOREIGN") != "0", Unusual: seed%3 == 1}))
	}
	compareAll(t, worlds)
}

// TestComparisonOfDomains does the same with clusters that have domains and trust
// domains of their own. The environment sets DOMAIN_WORLDS, 2 by default, FIRST and
// QUESTIONS.
func TestComparisonOfDomains(t *testing.T) {
	var worlds []worldgen.World
	first := number(t, "FIRST", 1)
	for seed := first; seed < first+number(t, "DOMAIN_WORLDS", 2); seed++ {
		worlds = append(worlds, worldgen.Generate(int64(seed), worldgen.Options{OtherDomains: true, OtherTrustDomains: true, Unusual: seed%2 == 0}))
	}
	compareAll(t, worlds)
}

// compareAll deploys one world after the other and asks about each.
func compareAll(t *testing.T, worlds []worldgen.World) {
	t.Helper()
	l := startLab(t, mesh.Options{Clusters: union(worlds)})
	if err := l.Manage(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i := range worlds {
		world := &worlds[i]
		t.Run(world.Name, func(t *testing.T) {
			if i > 0 {
				if err := l.Clear(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			started := time.Now()
			if err := l.Deploy(t.Context(), world); err != nil {
				t.Fatal(err)
			}
			t.Logf("%s; deployed after %s", world, time.Since(started).Round(time.Second))
			compare(t, l, world, number(t, "QUESTIONS", 40))
		})
	}
}

// union returns the clusters of all worlds.
func union(worlds []worldgen.World) []mesh.ClusterOptions {
	var clusters []mesh.ClusterOptions
	known := map[string]bool{}
	for i := range worlds {
		for _, c := range mesh.OptionsOf(&worlds[i]) {
			if !known[c.Name] {
				known[c.Name] = true
				clusters = append(clusters, c)
			}
		}
	}
	return clusters
}

// compare asks questions about a world that is deployed.
func compare(t *testing.T, l *mesh.Lab, world *worldgen.World, questions int) {
	t.Helper()
	descriptions := describe(t, l)
	asked, err := judge.Questions(*world, descriptions, world.Seed, questions)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	runner := judge.Runner{
		Sender: sender{l}, Parallel: 8, Known: judge.Known(),
		Explain: func(ctx context.Context, q judge.Question) string { return explain(ctx, l, q) },
	}
	report := runner.Run(t.Context(), asked)
	t.Log(report)
	if err := report.Err(); err != nil {
		t.Error(err)
	}
}

func describe(t *testing.T, l *mesh.Lab) judge.Descriptions {
	t.Helper()
	result, err := l.Meshctl(t.Context(), nil, "describe", "workload", "--all-destinations", "-o", "json")
	if err != nil {
		t.Fatal(err)
	}
	descriptions, err := judge.ReadDescriptions(strings.NewReader(result.Stdout))
	if err != nil {
		t.Fatal(err)
	}
	return descriptions
}

// explain tells what the product applied for the host of a question, and what
// the caller's proxy made of it.
func explain(ctx context.Context, l *mesh.Lab, q judge.Question) string {
	var b strings.Builder
	for _, cluster := range l.Clusters {
		objects, err := cluster.About(ctx, q.Hostname)
		if err != nil {
			fmt.Fprintln(&b, err)
		}
		b.WriteString(objects)
	}
	pod, err := l.Pod(q.From.Cluster, q.From.Namespace, q.From.Name)
	if err != nil {
		return b.String()
	}
	config, err := mesh.ConfigAbout(ctx, pod, q.Hostname)
	if err != nil {
		fmt.Fprintln(&b, err)
	}
	b.WriteString(config)
	entries, err := mesh.AccessLog(pod, q.Request.ID)
	fmt.Fprintln(&b, "access log of the caller:", entries, err)
	return b.String()
}

func number(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}
