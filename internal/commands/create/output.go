package create

import (
	"strings"

	"github.com/kballard/go-shellquote"

	"github.com/meshctl/meshctl/internal/render"
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
