package cli

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTerminalGetsNothingButTextAndColours writes a hostile text in pieces of all
// sizes: wherever it is cut, the terminal gets the same.
func TestTerminalGetsNothingButTextAndColours(t *testing.T) {
	t.Parallel()
	const hostile = "name: \x1b]0;owned\a日本\x1b[31mred\x1b[0m \u202eevil\u009b2J\r\n\té\xff\x1b[2J\x1b["
	const want = `name: \x1b]0;owned\a日本` + "\x1b[31mred\x1b[0m" + ` \u202eevil\u009b2J\r` + "\n\té" + `\xff\x1b[2J\x1b[`
	for size := 1; size <= len(hostile); size++ {
		var screen bytes.Buffer
		streams, _, _ := Test("")
		streams.OutTerminal = true
		streams.bufferOut(&screen)
		for rest := hostile; rest != ""; {
			n := min(size, len(rest))
			if written, err := fmt.Fprint(streams.Out, rest[:n]); err != nil || written != n {
				t.Fatalf("%d bytes are written, want %d (%v)", written, n, err)
			}
			rest = rest[n:]
		}
		if err := streams.Flush(); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, screen.String()); diff != "" {
			t.Errorf("in pieces of %d bytes (-want +got)\n%s", size, diff)
		}
	}
}

func TestFilesGetWhatIsWritten(t *testing.T) {
	t.Parallel()
	var file bytes.Buffer
	streams, _, _ := Test("")
	streams.bufferOut(&file)
	const raw = "a: \"\u202e\"\r\n\x1b\xff"
	fmt.Fprint(streams.Out, raw)
	if err := streams.Flush(); err != nil || file.String() != raw {
		t.Errorf("the file has %q (%v), want %q", file.String(), err, raw)
	}
}

func TestTerminalPassesFailuresOn(t *testing.T) {
	t.Parallel()
	full := &terminalWriter{terminal: brokenWriter{errors.New("no space left")}}
	for _, part := range []string{"plain", "日本"} {
		if _, err := full.Write([]byte(part)); err == nil || !strings.Contains(err.Error(), "no space") {
			t.Errorf("writing %q: %v", part, err)
		}
	}
}
