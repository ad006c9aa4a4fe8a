package commands

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/snapshot"
)

// TestCompletionGivesUp lets the world never come, or fail: choices are none, in
// time, without a word.
func TestCompletionGivesUp(t *testing.T) {
	t.Parallel()
	const hanging = time.Minute // of the bubble's clock, which takes no time
	tests := []struct {
		name string
		load worldLoader
		want time.Duration
	}{
		{
			name: "hangs", want: 2 * time.Second,
			load: func(ctx context.Context, _ worldFlags, _ io.Reader) (*snapshot.World, error) {
				time.Sleep(hanging) // whoever hangs does not look at the context
				return nil, ctx.Err()
			},
		},
		{
			name: "stops at the deadline", want: 2 * time.Second,
			load: func(ctx context.Context, _ worldFlags, _ io.Reader) (*snapshot.World, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			},
		},
		{
			name: "fails",
			load: func(context.Context, worldFlags, io.Reader) (*snapshot.World, error) {
				return nil, errors.New("no such file")
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				streams, out, errOut := cli.Test("")
				f := NewFactory(streams)
				f.LoadWorld = tt.load
				start := time.Now()
				code := run(t.Context(), []string{"__complete", "describe", "workload", "-f", "x", ""}, f)
				if took := time.Since(start); took != tt.want {
					t.Errorf("it took %v, want %v", took, tt.want)
				}
				if code != cli.ExitOK || out.String() != ":4\n" {
					t.Errorf("exit code %d and output %q, want %d and only the directive", code, out.String(), cli.ExitOK)
				}
				if got := errOut.String(); got != "Completion ended with directive: ShellCompDirectiveNoFileComp\n" {
					t.Errorf("standard error = %q", got)
				}
				time.Sleep(hanging)
			})
		})
	}
}

// TestCompletionLoadsOnce checks what a half-typed command line asks for.
func TestCompletionLoadsOnce(t *testing.T) {
	t.Parallel()
	streams, _, _ := cli.Test("typed by a person")
	f := NewFactory(streams)
	var loaded []worldFlags
	f.LoadWorld = func(_ context.Context, flags worldFlags, stdin io.Reader) (*snapshot.World, error) {
		flags.kube = nil // which cluster is not what this is about
		loaded = append(loaded, flags)
		if text, err := io.ReadAll(stdin); err != nil || len(text) > 0 {
			t.Errorf("standard input is read: %q, %v", text, err)
		}
		return snapshot.New(snapshot.Objects{}), nil
	}
	run(t.Context(), []string{"__complete", "describe", "mesh", "-f", "a,b", "-Rf", "a", "-f", "-", ""}, f)
	want := []worldFlags{{filenames: []string{"a", "b"}, recursive: true}}
	if diff := cmp.Diff(want, loaded, cmp.AllowUnexported(worldFlags{})); diff != "" {
		t.Errorf("worlds loaded (-want +got):\n%s", diff)
	}
}

func TestInList(t *testing.T) {
	t.Parallel()
	choices := []string{"east\tregistered", "north", "west"}
	tests := []struct {
		typed string
		given []string
		want  []string
	}{
		{typed: "", want: choices},
		{typed: "we", want: choices},
		{typed: "west,", want: []string{"west,east\tregistered", "west,north"}},
		{typed: "west,north,ea", want: []string{"west,north,east\tregistered"}},
		{typed: "west,", given: []string{"east"}, want: []string{"west,north"}},
		{typed: ",", want: []string{",east\tregistered", ",north", ",west"}},
	}
	for _, tt := range tests {
		if got := inList(tt.typed, tt.given, choices); !slices.Equal(got, tt.want) {
			t.Errorf("inList(%q, %q) = %q, want %q", tt.typed, tt.given, got, tt.want)
		}
	}
}
