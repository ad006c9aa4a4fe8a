package cli

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMessages(t *testing.T) {
	t.Parallel()
	hostile := "a\n\x1b[2Jerror: b\u202e"
	tests := []struct {
		name string
		say  func(s *Streams)
		want string
	}{
		{"say", func(s *Streams) { s.Say("%s: done, 100%%", "east") }, "east: done, 100%\n"},
		{"warn", func(s *Streams) { s.Warn("no %s", "mesh") }, "warning: no mesh\n"},
		{"fail", func(s *Streams) { s.Fail("no %s", "mesh") }, "error: no mesh\n"},
		{"say what is hostile", func(s *Streams) { s.Say("name %s", hostile) }, `name a\n\x1b[2Jerror: b\u202e` + "\n"},
		{"say too much", func(s *Streams) { s.Say("%s", strings.Repeat("é", 401)) }, strings.Repeat("é", 400) + "...\n"},
		{"debug without -v", func(s *Streams) { s.Debug("detail") }, ""},
		{"debug with -v", func(s *Streams) { s.Verbosity = 1; s.Debug("%d details", 2) }, "2 details\n"},
		{"error", func(s *Streams) { s.Error(errors.New("no mesh")) }, "error: no mesh\n"},
		{"no error", func(s *Streams) { s.Error(nil) }, ""},
		{"errors", func(s *Streams) { s.Error(errors.Join(errors.New("first"), ErrReported, errors.New("second"))) }, "error: first\nerror: second\n"},
		{"error of several lines", func(s *Streams) { s.Error(errors.New("one of:\n  a\n    ^")) }, "error: one of:\n  a\n    ^\n"},
		{"error that forges another", func(s *Streams) { s.Error(fmt.Errorf("east: %s\r", hostile)) }, "error: east: a\n" + `  \x1b[2Jerror: b\u202e\r` + "\n"},
		{"paragraph", func(s *Streams) { s.Paragraph(LevelWarning, "%s", hostile) }, `warning: a\n\x1b[2Jerror: b\u202e` + "\n"},
		{"block", func(s *Streams) { s.Block("\nkind: %s\n  a: b\n", "\x1bMesh") }, "\nkind: " + `\x1bMesh` + "\n  a: b\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			streams, out, errOut := Test("")
			tt.say(streams)
			if diff := cmp.Diff(tt.want, errOut.String()); diff != "" {
				t.Errorf("standard error (-want +got):\n%s", diff)
			}
			if out.Len() > 0 {
				t.Errorf("standard output has %q", out.String())
			}
		})
	}
}

func TestMessagesOnATerminal(t *testing.T) {
	t.Parallel()
	streams, errOut := testTerminal(24)
	streams.Say("said")
	streams.Warn("warned")
	streams.Error(errors.New("failed"))
	streams.Paragraph(LevelInfo, "a sentence that is longer than the terminal")
	streams.Paragraph(LevelError, "nobody may call reviews")
	want := "said\n\x1b[33mwarning:\x1b[0m warned\n\x1b[31merror:\x1b[0m failed\n" +
		"a sentence that is\n  longer than the\n  terminal\n" +
		"\x1b[31merror:\x1b[0m nobody may call\n  reviews\n"
	if diff := cmp.Diff(want, errOut.String()); diff != "" {
		t.Errorf("standard error (-want +got):\n%s", diff)
	}
}

func TestMessagesAtTheSameTime(t *testing.T) {
	t.Parallel()
	streams, errOut := testTerminal(80)
	var pending sync.WaitGroup
	progress := NewProgress(streams)
	for i := range 20 {
		name := fmt.Sprintf("operation-%d", i)
		pending.Go(func() {
			progress.Begin(name, "working")
			streams.Say("%s said", name)
			progress.End(name, "%s done", name)
		})
	}
	pending.Wait()
	screen := screenOf(errOut.String())
	for i := range 20 {
		for _, line := range []string{"operation-%d said\n", "operation-%d done\n"} {
			if line = fmt.Sprintf(line, i); !strings.Contains("\n"+screen, "\n"+line) {
				t.Errorf("there is no line %q in\n%s", line, screen)
			}
		}
	}
	if want := 40; strings.Count(screen, "\n") != want || !strings.HasSuffix(screen, "\n") {
		t.Errorf("want %d lines and nothing else:\n%s", want, screen)
	}
}

func TestProgress(t *testing.T) {
	t.Parallel()
	run := func(streams *Streams) {
		p := NewProgress(streams)
		p.Begin("east: record ...", "")
		streams.Warn("slow")
		p.End("east: record ...", "east: record ... done (%s)", "\x1b")
		p.Begin("web.east", "")
		p.Begin("api.east", "")
		p.Update("web.east", "1 of 2\nready")
		p.Update("gone.east", "never begun")
		p.End("web.east", "web.east: restarted")
		p.Close()
		streams.Say("end")
	}
	tests := []struct {
		name    string
		prepare func(s *Streams)
		want    string
	}{
		{"no terminal", func(s *Streams) { s.ErrTerminal = false }, "warning: slow\neast: record ... done (\\x1b)\nweb.east: restarted\nend\n"},
		{"a terminal that cannot erase", func(s *Streams) {
			s.Getenv = func(name string) string { return map[string]string{"TERM": "dumb"}[name] }
		}, "warning: slow\neast: record ... done (\\x1b)\nweb.east: restarted\nend\n"},
		{
			"terminal", func(s *Streams) { s.Color = ColorNever },
			"east: record ...<warning: slow\neast: record ...<east: record ... done (\\x1b)\n" +
				"web.east<web.east (and 1 more)<web.east: 1 of 2\\nready ...<web.east: restarted\napi.east<end\n",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			streams, errOut := testTerminal(28)
			tt.prepare(streams)
			run(streams)
			if diff := cmp.Diff(tt.want, strings.ReplaceAll(errOut.String(), "\r\x1b[K", "<")); diff != "" {
				t.Errorf("standard error, with < for an erased line (-want +got):\n%s", diff)
			}
		})
	}
}

// testTerminal returns streams whose Err is a terminal of so many columns.
func testTerminal(width int) (*Streams, *bytes.Buffer) {
	streams, _, errOut := Test("")
	streams.OutTerminal, streams.ErrTerminal = true, true
	streams.errColumns = func() int { return width }
	return streams, errOut
}

// screenOf returns what is left of the lines once erased ones are gone.
func screenOf(written string) string {
	var screen strings.Builder
	for line := range strings.Lines(written) {
		parts := strings.Split(line, "\r\x1b[K")
		screen.WriteString(parts[len(parts)-1])
	}
	return screen.String()
}

// TestCommandsInParagraphs holds that a command is completed before the prose
// around it is wrapped, where it would not be found.
func TestCommandsInParagraphs(t *testing.T) {
	t.Parallel()
	streams, _, errOut := Test("")
	streams.SetWidth(43)
	streams.Color = ColorNever
	streams.Complete = func(text string) string {
		return strings.ReplaceAll(text, "'meshctl trust issue'", "'meshctl trust issue --context mgmt'")
	}
	streams.Paragraph(LevelWarning, "%s", "the certificates are not valid: run 'meshctl trust issue'")
	const want = "warning: the certificates are not valid:\n  run 'meshctl trust issue --context mgmt'\n"
	if diff := cmp.Diff(want, errOut.String()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
