package wizard

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/meshctl/meshctl/internal/render"
)

// defaultNamespace is where resources are kept unless the user says otherwise.
const defaultNamespace = "gloo-mesh"

// freeName returns the name, with a number if it is taken in the namespace.
func freeName(base, namespace string, taken []string) string {
	name := base
	for n := 2; slices.Contains(taken, name+"."+namespace); n++ {
		name = fmt.Sprintf("%s-%d", base, n)
	}
	return name
}

// naming returns the section that asks for the name. The namespace is asked for
// only when the section is visited again: few need another one.
func naming[I any](f *flow, d *Draft[I], noun, base, help string) section {
	d.Namespace = cmp.Or(d.Namespace, defaultNamespace)
	own := d.Name + "." + d.Namespace
	check := func(text string) error {
		if err := render.CheckName(text); err != nil {
			return err
		}
		if full := text + "." + d.Namespace; full != own && slices.Contains(f.known.Taken, full) {
			return fmt.Errorf("%s %s already exists in namespace %s: choose another name", noun, text, d.Namespace)
		}
		return nil
	}
	return section{
		title: "Name", basic: true,
		set: func() bool { return d.Name != "" },
		now: func() string { return d.Name + ", in namespace " + d.Namespace },
		ask: func() (err error) {
			if d.Name != "" {
				d.Namespace, err = f.Input(Question{
					Text: "Namespace:", Help: "Where the " + noun + " is kept on the management cluster.",
				}, d.Namespace, render.CheckNamespace)
				if err != nil {
					return err
				}
			}
			d.Name, err = f.Input(Question{Text: fmt.Sprintf("Name of the %s:", noun), Help: help},
				cmp.Or(d.Name, freeName(base, d.Namespace, f.known.Taken)), check)
			return err
		},
	}
}
