package commands_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"meshctl": func() { os.Exit(commands.PatientMain(os.Args[1:], cli.System())) },
	})
}

// TestScripts runs the command line as users do. Set UPDATE=1 to rewrite the
// expected output inside the scripts. Next to the commands of testscript there
// are:
//
//	exits CODE COMMAND...   run the command and expect the exit code
//	$WORLDS                 the directory of the worlds in testdata
//	$DUMPS                  the directory of the dumps of clusters in testdata
func TestScripts(t *testing.T) {
	t.Parallel()
	commands.StartsProcesses(t)
	worlds, err := filepath.Abs("../../testdata/worlds")
	if err != nil {
		t.Fatal(err)
	}
	dumps, err := filepath.Abs("../../testdata/dumps")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "../../testdata/scripts",
		RequireUniqueNames:  true,
		RequireExplicitExec: true,
		UpdateScripts:       os.Getenv("UPDATE") != "",
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
		Setup: func(env *testscript.Env) error {
			env.Setenv("WORLDS", worlds)
			env.Setenv("DUMPS", dumps)
			return nil
		},
	})
}

// exits implements the script command exits.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	if err != nil {
		ts.Fatalf("exits: %q is no exit code", args[0])
	}
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("exits: %v", err)
	}
	if got != want {
		ts.Fatalf("%v exits with %d, want %d", args[1:], got, want)
	}
}
