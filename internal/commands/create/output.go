package create

import (
	"strings"

	"github.com/kballard/go-shellquote"

	"github.com/meshctl/meshctl/internal/render"
	"github.com/meshctl/meshctl/internal/world"
)

// resourceName names a resource as kubectl does: virtualmesh.GROUP/NAME.
func resourceName(resource render.Object) string {
	gvk := resource.GetObjectKind().GroupVersionKind()
	return strings.ToLower(gvk.Kind) + "." + gvk.Group + "/" + resource.GetName()
}

// commandWidth is the width above which a command is shown on several lines.
const commandWidth = 80

// commandLine quotes a command for a shell: on one line, or with one flag per line
// if it is too long.
func commandLine(first, flags []string) string {
	parts := []string{shellquote.Join(first...)}
	for _, flag := range flags {
		parts = append(parts, shellquote.Join(flag))
	}
	if line := strings.Join(parts, " "); len(line) <= commandWidth {
		return line
	}
	return strings.Join(parts, " \\\n  ")
}

// dryRunFlags returns --dry-run as on a command line.
func (o *options[I, O]) dryRunFlags() []string {
	if o.dryRun.String() == dryRunNone {
		return nil
	}
	return []string{"--dry-run=" + o.dryRun.String()}
}

// printFlags returns the flags with which the command prints the manifest: if the
// world comes from the management cluster, it would otherwise write to it.
func (o *options[I, O]) printFlags() []string {
	if !o.world.FromManagement() {
		return nil
	}
	return []string{"--dry-run=" + dryRunClient}
}

// printCommand shows the command that creates the same resource without questions.
// The destination is the flags that say where it is written.
func (o *options[I, O]) printCommand(a *authored[I, O], destination ...string) {
	arguments, exact := o.kind.Arguments(a.resource)
	if !exact {
		o.streams.Block("\nFlags cannot express all of this manifest. Save it to a file and use --from FILE.")
		return
	}
	first := []string{"meshctl", "create", o.kind.Noun, a.resource.GetName()}
	first = append(first, o.world.Words()...)
	if namespace := a.resource.GetNamespace(); namespace != world.DefaultNamespace || o.namespace != "" {
		first = append(first, "-n", namespace)
	}
	var flags []string
	for _, argument := range arguments {
		flags = append(flags, "--"+argument.Name+"="+argument.Value)
	}
	if format := o.format.String(); format != "" {
		flags = append(flags, "--output="+format)
	}
	o.streams.Block("\nEquivalent command:\n\n%s", commandLine(first, append(flags, destination...)))
}
