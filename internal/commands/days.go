package commands

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// daysValue is the pflag.Value of a duration that may be in days.
type daysValue struct{ duration time.Duration }

const day = 24 * time.Hour

// defaultExpiryWarning is the default of --expiry-warning: how long before the
// end of a certificate commands start to warn.
const defaultExpiryWarning = 30 * day

// String implements pflag.Value.
func (v *daysValue) String() string {
	if v.duration%day == 0 && v.duration != 0 {
		return fmt.Sprintf("%dd", v.duration/day)
	}
	return v.duration.String()
}

// Set implements pflag.Value.
func (v *daysValue) Set(text string) error {
	if number, isDays := strings.CutSuffix(text, "d"); isDays {
		hours, err := time.ParseDuration(number + "h")
		const longest = 100 * 365 * day / 24
		if err != nil || hours < 0 || hours > longest {
			return errNoDuration()
		}
		v.duration = hours * 24
		return nil
	}
	duration, err := time.ParseDuration(text)
	if err != nil || duration < 0 {
		return errNoDuration()
	}
	v.duration = duration
	return nil
}

// Type implements pflag.Value.
func (v *daysValue) Type() string { return "duration" }

func errNoDuration() error { return errors.New("it must be a duration such as 30d or 12h") }
