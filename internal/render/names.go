package render

import (
	"github.com/meshctl/meshctl/internal/snapshot"
)

// Names completes and checks the names in flags against what exists.
type Names struct {
	// World is what exists, nil if that is unknown: then only full names are
	// accepted.
	World *snapshot.World
	// Namespace is that of resources of the management cluster whose name has
	// none.
	Namespace string
}
