package v1

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// Int64 is an integer that older writers put into JSON as a decimal string; it
// is read in both forms and written as a number (semantics D18).
//
// +kubebuilder:validation:XIntOrString
type Int64 int64

// UnmarshalJSON reads a number, a decimal string, or null for 0.
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

// Duration is a length of time in the form that Go reads ("10s", "150ms",
// "1h30m"). It keeps the text it was read from, so that writing it back does
// not change a manifest.
//
// +kubebuilder:validation:Type=string
// +kubebuilder:validation:MaxLength=64
// +kubebuilder:validation:XValidation:rule=`self.matches('^([0-9]{1,9}(\\.[0-9]{1,9})?(ns|us|µs|ms|s)|[0-9]{1,7}(\\.[0-9]{1,9})?m|[0-9]{1,5}(\\.[0-9]{1,9})?h){1,4}$') && duration(self) >= duration('1ms')`,message="must be a duration of at least 1ms, such as 10s, 150ms or 1m30s"
type Duration struct {
	text  string
	value time.Duration
}

// NewDuration returns a Duration written as Go writes it.
func NewDuration(d time.Duration) *Duration { return &Duration{text: d.String(), value: d} }

// Std returns the length of time; 0 for nil.
func (d *Duration) Std() time.Duration {
	if d == nil {
		return 0
	}
	return d.value
}

// String returns the length of time as Go writes it.
func (d *Duration) String() string { return d.Std().String() }

// Equal reports whether both last equally long, however they are written.
func (d *Duration) Equal(other *Duration) bool { return d.Std() == other.Std() }

// MarshalJSON writes the text the Duration was read from.
func (d Duration) MarshalJSON() ([]byte, error) {
	if d.text == "" {
		return json.Marshal(d.value.String())
	}
	return json.Marshal(d.text)
}

// UnmarshalJSON reads a duration in Go form.
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
