package discover

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/inventory"
	"github.com/meshctl/meshctl/internal/load"
)

// discover discovers all clusters; those with a connection in parallel.
func (d *discovering) discover(ctx context.Context) error {
	live, err := inventory.Discover(ctx, inventory.DiscoverOptions{
		Connections: d.connections, ManagementNamespace: d.namespace, Settings: d.settings, Deadline: d.timeout, Done: d.reportFound,
	})
	if err != nil {
		return err
	}
	d.found = append(d.found, live...)
	for _, source := range d.dumps {
		found, err := inventory.DiscoverDump(ctx, load.DumpOptions{
			Cluster: source.cluster, Paths: source.paths, Stdin: d.streams.In, ManagementNamespace: d.namespace, Settings: d.settings, MaxObjects: d.maxObjects,
		})
		if err != nil {
			return err
		}
		d.reportFound(&found)
		d.found = append(d.found, found)
	}
	slices.SortStableFunc(d.found, func(a, b inventory.Cluster) int { return strings.Compare(a.Name, b.Name) })
	return ctx.Err()
}

// warnings returns the warnings about a usable cluster.
func warnings(c *inventory.Cluster) []string {
	var texts []string
	add := func(message, hint string) {
		if hint != "" {
			message += " (" + hint + ")"
		}
		texts = append(texts, message)
	}
	if c.Err != nil {
		return nil
	}
	for _, u := range c.Unseen() {
		add(u.Message(), u.Err.Hint)
	}
	for _, p := range c.Problems {
		if !p.HidesInput() {
			add(cmdutil.ProblemText(p), "")
		}
	}
	for _, note := range c.Output.Notes {
		text := note.Message
		if note.Object != "" {
			text = note.Object + ": " + text
		}
		add(text, note.Hint)
	}
	return texts
}

// reportFound prints the result of discovering a cluster.
func (d *discovering) reportFound(c *inventory.Cluster) {
	if c.Err != nil {
		d.say("%s: failed", c.Name)
		return
	}
	out := &c.Output
	d.say("%s: found %s, %s, %s", c.Name, text.Count(len(out.Meshes), "mesh"),
		text.Count(len(out.Workloads), "workload"), text.Count(len(out.Destinations), "destination"))
}

// reportMissing prints what could not be read, errors first, up to a limit. It returns
// cli.ErrReported if a cluster or a part of a file is missing.
func (d *discovering) reportMissing() error {
	var result error
	var lines []string
	for i := range d.found {
		c := &d.found[i]
		if c.Err != nil {
			result = cli.ErrReported
			if !slices.Contains(d.unusable, c.Err) {
				lines = append(lines, fmt.Sprintf("error: %s: %s", c.Name, c.Err.LocalError()))
			}
		}
		for _, p := range c.Problems {
			if p.HidesInput() {
				result = cli.ErrReported
				lines = append(lines, fmt.Sprintf("error: %s: %s", c.Name, cmdutil.ProblemText(p)))
			}
		}
	}
	for i := range d.found {
		for _, text := range warnings(&d.found[i]) {
			lines = append(lines, fmt.Sprintf("warning: %s: %s", d.found[i].Name, text))
		}
	}
	cmdutil.ReportLines(d.streams, lines)
	return result
}
