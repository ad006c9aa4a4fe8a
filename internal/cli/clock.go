package cli

import "time"

// Clock returns the current time. Commands take one so that tests can control
// ages and deadlines; in production it is time.Now.
type Clock func() time.Time
