package v1

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// Int64 is an integer that some writers encode as a decimal string. It is read in both forms
// and written as a number.
//
// +kubebuilder:validation:XIntOrString
type Int64 int64

// UnmarshalJSON reads a number, a decimal string, or null as 0. It returns an error for other
// values.
func (i *Int64) UnmarshalJSON(data []byte) error {
	text := string(bytes.Trim(data, `"`))
	if text == "null" {
		*i = 0
		return nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return fmt.Errorf("%s is not an integer", data)
	}
	*i = Int64(n)
	return nil
}

// Duration is a duration in Go's format ("10s", "150ms", "1h30m"). It preserves the original
// text, so that writing it back does not change a manifest.
//
// +kubebuilder:validation:Type=string
// +kubebuilder:validation:MaxLength=64
// +kubebuilder:validation:XValidation:rule=`self.matches('^([0-9]{1,9}(\\.[0-9]{1,9})?(ns|us|µs|ms|s)|[0-9]{1,7}(\\.[0-9]{1,9})?m|[0-9]{1,5}(\\.[0-9]{1,9})?h){1,4}$') && duration(self) >= duration('1ms')`,message="must be a duration of at least 1ms, such as 10s, 150ms or 1m30s"
type Duration struct {
	text  string
	value time.Duration
}

// NewDuration returns a Duration formatted as in Go.
func NewDuration(d time.Duration) *Duration { return &Duration{text: d.String(), value: d} }

// Std returns the duration; 0 for nil.
func (d *Duration) Std() time.Duration {
	if d == nil {
		return 0
	}
	return d.value
}

// String returns the duration formatted as in Go.
func (d *Duration) String() string { return d.Std().String() }

// Equal reports whether both durations are equal, regardless of how they are written.
func (d *Duration) Equal(other *Duration) bool { return d.Std() == other.Std() }

// MarshalJSON writes the original text.
func (d Duration) MarshalJSON() ([]byte, error) {
	if d.text == "" {
		return json.Marshal(d.value.String())
	}
	return json.Marshal(d.text)
}

// UnmarshalJSON reads a duration in Go's format. It returns an error for other values.
func (d *Duration) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return fmt.Errorf("a duration must be a string such as \"10s\": %w", err)
	}
	value, err := time.ParseDuration(text)
	if err != nil {
		return fmt.Errorf("%q is not a duration; write for example \"10s\" or \"150ms\"", text)
	}
	d.text, d.value = text, value
	return nil
}
