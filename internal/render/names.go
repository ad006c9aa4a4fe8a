package render

import (
	"errors"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/meshctl/meshctl/internal/world"
)

// Names completes and checks the names in flags against what exists.
type Names struct {
	// World is what exists, nil if that is unknown: then only full names are
	// accepted.
	World *world.World
	// Namespace is that of resources of the management cluster whose name has
	// none.
	Namespace string
}

// checkLabel accepts a DNS label: the name of a Service or of a namespace.
func checkLabel(p piece, what string) error {
	return checkName(p, what, validation.DNS1123LabelMaxLength, false)
}

// checkSubdomain accepts DNS labels joined by dots: the names of most objects,
// and of clusters.
func checkSubdomain(p piece, what string) error {
	return checkName(p, what, validation.DNS1123SubdomainMaxLength, true)
}

func checkName(p piece, what string, limit int, dots bool) error {
	if p.text == "" {
		return p.errorf("the name of the %s is missing", what)
	}
	for i, r := range p.text {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-', r == '.' && dots:
		case r == '*':
			return p.errorAt(i, "wildcards are not supported; omit it to select all") // D6
		case r >= 'A' && r <= 'Z':
			return p.errorAt(i, "the name of a %s has no upper-case letters", what)
		default:
			return p.errorAt(i, "the name of a %s has only lower-case letters, digits and %s", what, punctuation(dots))
		}
	}
	for _, label := range p.split(".") {
		switch {
		case label.text == "":
			return label.errorf("a part of the name is missing at the dot")
		case label.text[0] == '-':
			return label.errorf("the name of a %s must not start with a hyphen", what)
		case strings.HasSuffix(label.text, "-"):
			return label.errorAt(len(label.text)-1, "the name of a %s must not end with a hyphen", what)
		}
	}
	if len(p.text) > limit {
		return p.errorAt(limit, "the name of a %s has at most %d characters", what, limit)
	}
	return nil
}

func punctuation(dots bool) string {
	if dots {
		return "hyphens, and dots between them"
	}
	return "hyphens"
}

// checkLabelKey accepts the key of a Kubernetes label.
func checkLabelKey(p piece) error {
	return checkLabelPart(p, "label key", validation.IsQualifiedName)
}

// checkLabelValue accepts the value of a Kubernetes label, which may be empty.
func checkLabelValue(p piece) error {
	return checkLabelPart(p, "label value", validation.IsValidLabelValue)
}

func checkLabelPart(p piece, what string, check func(string) []string) error {
	if len(check(p.text)) == 0 {
		return nil
	}
	slashes := 0
	for i, r := range p.text {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_', r == '.':
		case r == '*':
			return p.errorAt(i, "wildcards are not supported; omit it to select all") // D6
		case r == '/' && what == "label key" && slashes == 0:
			slashes++
		default:
			return p.errorAt(i, "a %s has no %q here", what, r)
		}
	}
	return p.errorf("%q is not a %s: at most 63 characters that start and end with a letter or a digit%s", p.text, what, prefixRule(what))
}

func prefixRule(what string) string {
	if what == "label key" {
		return "; a DNS name and a slash may precede them"
	}
	return ""
}

// resolve finds the object of the world that a name means. A name that no
// object answers to is an error that says how to write one that does not exist
// yet.
func resolve[T any](p piece, noun, form string, items []T, names func(T) world.Names) (T, error) {
	item, err := world.Resolve(noun, items, names, p.text)
	var missing *world.NotFoundError
	if errors.As(err, &missing) && len(missing.Near) == 0 {
		return item, p.errorf("%s %q not found; write %s for one that does not exist yet", noun, p.text, form)
	}
	return item, err
}

func isAmbiguous(err error) bool {
	var ambiguous *world.AmbiguousError
	return errors.As(err, &ambiguous)
}
