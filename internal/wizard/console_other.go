//go:build !unix

package wizard

import (
	"os"
	"time"
)

// waitReadable cannot wait here: a read blocks. Prompts read keys from the
// console itself on such systems.
func waitReadable(*os.File, time.Duration) (bool, error) { return true, nil }
