package cmdutil

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// DaysValue is the pflag.Value of a duration that also accepts days.
type DaysValue struct{ Duration time.Duration }

const day = 24 * time.Hour

// DefaultExpiryWarning is the default of --expiry-warning: how long before a certificate
// expires commands start to warn.
const DefaultExpiryWarning = 30 * day

// String implements pflag.Value.
func (v *DaysValue) String() string {
	if v.Duration%day == 0 && v.Duration != 0 {
		return fmt.Sprintf("%dd", v.Duration/day)
	}
	return v.Duration.String()
}

// Set implements pflag.Value.
func (v *DaysValue) Set(text string) error {
	if number, isDays := strings.CutSuffix(text, "d"); isDays {
		hours, err := time.ParseDuration(number + "h")
		const longest = 100 * 365 * day / 24
		if err != nil || hours < 0 || hours > longest {
			return errNoDuration()
		}
		v.Duration = hours * 24
		return nil
	}
	duration, err := time.ParseDuration(text)
	if err != nil || duration < 0 {
		return errNoDuration()
	}
	v.Duration = duration
	return nil
}

// Type implements pflag.Value.
func (v *DaysValue) Type() string { return "duration" }

func errNoDuration() error { return errors.New("must be a duration such as 30d or 12h") }
