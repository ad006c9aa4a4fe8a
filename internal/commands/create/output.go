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

// commandWidth is where a shown command line is broken.
const commandWidth = 80

// commandLine writes a command for a shell to read: the first words and the
// flags on one line, or each flag on a line of its own if that would be long.
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

// dryRunFlags are the flags of the command for what --dry-run says.
func (o *options[I, O]) dryRunFlags() []string {
	if o.dryRun.String() == dryRunNone {
		return nil
	}
	return []string{"--dry-run=" + o.dryRun.String()}
}

// printFlags are the flags that make the command print the manifest: without any,
// it would write to the management cluster if it is the source.
func (o *options[I, O]) printFlags() []string {
	if !o.world.FromManagement() {
		return nil
	}
	return []string{"--dry-run=" + dryRunClient}
}

// printCommand shows how to create the same resource without questions; the flags
// say where it goes.
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
