package cli

import "time"

// Clock tells the time. Commands take one so that ages and deadlines can be
// tested; time.Now is the real one.
type Clock func() time.Time
