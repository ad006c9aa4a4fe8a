package cmdutil

import (
	"testing"
)

func TestParseReadLimit(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text string
		want int64
		fail string
	}{
		{text: "", want: 0},
		{text: "2Gi", want: 2 << 30},
		{text: "1000000", want: 1_000_000},
		{text: "0", fail: `invalid value "0" for --read-limit: must be a size, such as 2Gi`},
		{text: "-1Gi", fail: `invalid value "-1Gi" for --read-limit: must be a size, such as 2Gi`},
		{text: "much", fail: `invalid value "much" for --read-limit: must be a size, such as 2Gi`},
	}
	for _, tt := range tests {
		got, err := parseReadLimit(tt.text)
		message := ""
		if err != nil {
			message = err.Error()
		}
		if got != tt.want || message != tt.fail {
			t.Errorf("parseReadLimit(%q) = %d, %q; want %d, %q", tt.text, got, message, tt.want, tt.fail)
		}
	}
}
