package commands

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/commands/cmdutil"
)

// TestZshRepairIsNeeded completes values that contain = or - in zsh, with the script of
// cobra and with the repaired one. When cobra's is right, too, the repair must go.
func TestZshRepairIsNeeded(t *testing.T) {
	t.Parallel()
	zsh := requireProgram(t, "zsh")
	repaired := shells()[3]
	if repaired.name != "zsh" {
		t.Fatalf("the last shell is %s", repaired.name)
	}
	scripts := map[string]func(*cobra.Command, io.Writer) error{
		"cobra's":  func(root *cobra.Command, w io.Writer) error { return root.GenZshCompletion(w) },
		"repaired": repaired.write,
	}
	for name, test := range map[string]struct {
		// typed is the last word of the command line, choice what meshctl offers for it.
		typed, choice string
		// cobra is what it becomes with the script of cobra.
		cobra, want string
	}{
		"a flag": {"--output=", "json", "--output=json", "--output=json"},
		"a value of a flag that has parts": {
			"--source=service-account=boo", "service-account=books", "--source=service-account=service-account=books", "--source=service-account=books",
		},
		"a value that looks like a flag inside": {"book-reviews@version=", "book-reviews@version=v2", "-reviews@version=book-reviews@version=v2", "book-reviews@version=v2"},
		"a value without either":                {"reviews", "reviews.bookinfo", "reviews.bookinfo", "reviews.bookinfo"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := map[string]string{"cobra's": test.cobra, "repaired": test.want}
			got := map[string]string{}
			for kind, write := range scripts {
				var script bytes.Buffer
				if err := write(newRootCmd(cmdutil.NewFactory(testStreams())), &script); err != nil {
					t.Fatal(err)
				}
				home := shellHome(t)
				writeHomeFile(t, home, "completion.zsh", script.String())
				// The functions stand for what zsh does with the choices: it puts the argument
				// of -P before them.
				got[kind] = strings.TrimSpace(runIn(t, home, zsh, "-f", "-c", `
					compdef() { }
					meshctl() { print -r -- "$CHOICE"; print -r -- ":4" }
					_describe() {
						local choices=$2 prefix=""
						while (( $# )); do [[ $1 == -P ]] && prefix=$2; shift; done
						print -r -- "$prefix${${(P)choices}[1]}"
					}
					TYPED=$1 CHOICE=$2
					source ./completion.zsh
					words=(meshctl create ap "$TYPED") CURRENT=4
					_meshctl`, "zsh", test.typed, test.choice))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("what is typed becomes (-want +got):\n%s", diff)
			}
		})
	}
}
