package cli

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// terminal returns streams whose messages go to a terminal, and what it got since
// it was last asked.
func terminal() (*Streams, func() string) {
	streams, _, errOut := Test("")
	streams.ErrTerminal = true
	return streams, func() string {
		streams.log.mu.Lock() // what writes meanwhile holds it
		defer streams.log.mu.Unlock()
		defer errOut.Reset()
		return strings.ReplaceAll(errOut.String(), "\r\x1b[K", "<erase>")
	}
}

// TestWaiting holds that a person is told within 300 ms which clusters do not
// answer, and nothing where they do.
func TestWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		t.Helper()
		streams, said := terminal()
		w := NewWaiting(streams, time.Now)
		expect := func(when, want string) {
			t.Helper()
			synctest.Wait()
			if got := said(); got != want {
				t.Errorf("%s: got %q, want %q", when, got, want)
			}
		}
		end := w.Begin("east")
		time.Sleep(100 * time.Millisecond)
		end()
		time.Sleep(time.Second)
		expect("a quick answer", "")

		endEast, endWest := w.Begin("east"), w.Begin("west")
		time.Sleep(200 * time.Millisecond)
		expect("not long", "")
		time.Sleep(100 * time.Millisecond)
		expect("after 300 ms", "Waiting for clusters east, west")
		endEast()
		expect("one has answered", "<erase>Waiting for cluster west")
		streams.Say("a message")
		expect("a message", "<erase>a message\nWaiting for cluster west")
		endWest()
		expect("all have answered", "<erase>")

		for range 6 { // one question after the other
			end := w.Begin("east")
			time.Sleep(40 * time.Millisecond)
			end()
		}
		said()
		end = w.Begin("east")
		time.Sleep(20 * time.Millisecond)
		expect("many quick answers", "Waiting for cluster east")
		end()
		expect("at the end", "<erase>")

		time.Sleep(time.Second)
		for _, name := range []string{"a", "b", "c", "d", "e"} {
			defer w.Begin(name)()
		}
		time.Sleep(300 * time.Millisecond)
		expect("many clusters", "Waiting for clusters a, b, c and 2 more")
	})
}

// TestWaitingGivesWay holds that progress comes before what is waited for, and
// that data never begins behind a status line.
func TestWaitingGivesWay(t *testing.T) {
	t.Parallel()
	streams, said := terminal()
	now := time.Now()
	w := NewWaiting(streams, func() time.Time { return now })
	end := w.Begin("east")
	progress := NewProgress(streams)
	progress.Begin("apply", "")
	now = now.Add(time.Second)
	defer w.Begin("west")()
	end()
	if got, want := said(), "apply"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	progress.Close()
	if got, want := said(), "<erase>Waiting for cluster west"; got != want {
		t.Errorf("after the progress: got %q, want %q", got, want)
	}
	var out bytes.Buffer
	streams.OutTerminal = true
	streams.bufferOut(&out)
	if _, err := streams.Out.Write([]byte("data\n")); err != nil || out.String() != "data\n" {
		t.Errorf("%v, %q", err, out.String())
	}
	if got, want := said(), "<erase>"; got != want {
		t.Errorf("before data: got %q, want %q", got, want)
	}
}

// TestWaitingEndsWithCommand holds that nothing is left below the last message of a
// command that does not wait any longer.
func TestWaitingEndsWithCommand(t *testing.T) {
	t.Parallel()
	streams, said := terminal()
	now := time.Now()
	w := NewWaiting(streams, func() time.Time { return now })
	end := w.Begin("east")
	now = now.Add(time.Second)
	w.Begin("west")
	streams.EndStatus()
	streams.Say("cancelled")
	end()
	if got, want := said(), "Waiting for clusters east, west<erase>cancelled\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWaitingWithoutTerminal(t *testing.T) {
	t.Parallel()
	streams, _, errOut := Test("")
	now := time.Now()
	w := NewWaiting(streams, func() time.Time { return now })
	w.Begin("east")
	now = now.Add(time.Minute)
	w.Begin("east")()
	if errOut.Len() > 0 {
		t.Errorf("said %q", errOut)
	}
}
