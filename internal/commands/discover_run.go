package commands

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/discovery"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/load"
	"github.com/meshctl/meshctl/internal/world"
)

// discover looks at all clusters, live ones at the same time.
func (d *discovering) discover(ctx context.Context) error {
	d.found = append(d.found, kube.Each(d.connections, func(c *kube.Connection) discoveredCluster {
		found := d.discoverLive(ctx, c)
		d.tell(found)
		return found
	})...)
	for _, source := range d.dumps {
		found, err := d.discoverDump(ctx, source)
		if err != nil {
			return err
		}
		d.tell(found)
		d.found = append(d.found, found)
	}
	slices.SortStableFunc(d.found, func(a, b discoveredCluster) int { return strings.Compare(a.name, b.name) })
	return ctx.Err()
}

func (d *discovering) discoverLive(ctx context.Context, c *kube.Connection) discoveredCluster {
	all, err := load.Discover(ctx, load.DiscoverOptions{
		Connections: []*kube.Connection{c}, ManagementNamespace: d.namespace, Settings: d.settings, Deadline: d.timeout,
	})
	if err != nil {
		return discoveredCluster{name: c.Name, err: err, reason: string(kube.ReasonCancelled)}
	}
	live := all[0]
	found := discoveredCluster{name: c.Name, output: live.Output, partial: !live.Complete()}
	if live.Err != nil {
		found.err, found.reason = live.Err, string(live.Err.Reason)
		return found
	}
	for _, u := range live.Unlisted {
		found.warn(u.Err.Message()+"; so these are unknown: "+u.Kind.Without, u.Err.Hint)
	}
	found.takeNotes()
	return found
}

func (d *discovering) discoverDump(ctx context.Context, source dumpSource) (discoveredCluster, error) {
	dump, err := load.DiscoverDump(ctx, load.DumpOptions{
		Cluster: source.cluster, Paths: source.paths, Stdin: d.streams.In, ManagementNamespace: d.namespace, Settings: d.settings,
	})
	if err != nil {
		return discoveredCluster{}, err
	}
	found := discoveredCluster{name: source.cluster, output: dump.Output, offline: true}
	for _, p := range dump.Problems {
		found.partial = found.partial || p.HidesInput() || p.Kind == world.UnlistedKind
		if p.HidesInput() {
			found.errors = append(found.errors, problemText(p))
			continue
		}
		found.warnings = append(found.warnings, problemText(p))
	}
	found.takeNotes()
	return found, nil
}

// takeNotes makes warnings of what discovery noted.
func (c *discoveredCluster) takeNotes() {
	for _, note := range c.output.Notes {
		c.partial = c.partial || note.Skipped
		text := note.Message
		if note.Object != "" {
			text = note.Object + ": " + text
		}
		c.warn(text, note.Hint)
	}
}

func (c *discoveredCluster) warn(message, hint string) {
	if hint != "" {
		message += " (" + hint + ")"
	}
	c.warnings = append(c.warnings, message)
}

// tell says as progress what was found in a cluster.
func (d *discovering) tell(c discoveredCluster) {
	if c.err != nil {
		d.say("%s: failed", c.name)
		return
	}
	out := &c.output
	d.say("%s: found %s, %s, %s", c.name, countOf(len(out.Meshes), "mesh", "meshes"),
		countOf(len(out.Workloads), "workload", "workloads"), countOf(len(out.Destinations), "destination", "destinations"))
}

// countOf says how many things there are.
func countOf(count int, one, many string) string {
	if count == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", count, many)
}

// reportMissing says what could not be seen, within bounds, errors first. It
// returns cli.ErrReported if a whole cluster or a part of a file is missing.
func (d *discovering) reportMissing() error {
	var result error
	var lines []string
	for _, c := range d.found {
		if c.err != nil {
			result = cli.ErrReported
			if c.err != cli.ErrReported { //nolint:errorlint // said already
				lines = append(lines, fmt.Sprintf("error: %s: %s", c.name, c.err))
			}
		}
		for _, text := range c.errors {
			result = cli.ErrReported
			lines = append(lines, fmt.Sprintf("error: %s: %s", c.name, text))
		}
	}
	for _, c := range d.found {
		for _, text := range c.warnings {
			lines = append(lines, fmt.Sprintf("warning: %s: %s", c.name, text))
		}
	}
	for _, line := range lines[:min(len(lines), reportedProblems)] {
		d.say("%s", line)
	}
	if more := len(lines) - reportedProblems; more > 0 {
		d.say("... and %d more", more)
	}
	return result
}

// merged unites what was found in all clusters.
func (d *discovering) merged() discovery.Output {
	var outputs []discovery.Output
	for _, c := range d.found {
		if c.err == nil {
			outputs = append(outputs, c.output)
		}
	}
	return discovery.Merge(outputs...)
}
