package commands

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/hinshun/vt10x"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
)

// TestCompletionInShells installs completion as described in the help of each shell, in an
// otherwise empty home directory, and completes in a new shell.
func TestCompletionInShells(t *testing.T) {
	t.Parallel()
	for _, sh := range shells() {
		everywhere, here := installLines(t, sh)
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			switch sh.name {
			case "bash":
				t.Run("every", func(t *testing.T) { t.Parallel(); testBash(t, everywhere, "") })
				t.Run("this", func(t *testing.T) { t.Parallel(); testBash(t, "", here) })
			case "zsh":
				t.Run("every", func(t *testing.T) { t.Parallel(); testZsh(t, everywhere, "") })
				t.Run("this", func(t *testing.T) { t.Parallel(); testZsh(t, "", here) })
			case "fish":
				t.Run("every", func(t *testing.T) { t.Parallel(); testFish(t, everywhere, "") })
				t.Run("this", func(t *testing.T) { t.Parallel(); testFish(t, "", here) })
			default:
				// There is no Debian package, so only check the script.
				var script bytes.Buffer
				if err := sh.write(newRootCmd(cmdutil.NewFactory(testStreams())), &script); err != nil {
					t.Fatal(err)
				}
				if !strings.Contains(script.String(), "Register-ArgumentCompleter -CommandName 'meshctl'") {
					t.Errorf("the script does not register a completer for meshctl:\n%.300s", script.String())
				}
			}
		})
	}
}

// installLines returns the commands documented in the help of a shell: for every new shell,
// and for the current one.
func installLines(t *testing.T, sh shell) (everywhere, here string) {
	t.Helper()
	var commands []string
	for line := range strings.Lines(sh.install) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			commands = append(commands, line)
		}
	}
	if len(commands) != 2 {
		t.Fatalf("the help of %s has %d commands, want one for every shell and one for this shell:\n%s", sh.name, len(commands), sh.install)
	}
	return commands[0], commands[1]
}

func testBash(t *testing.T, install, load string) {
	t.Helper()
	program := requireProgram(t, "bash")
	home := shellHome(t)
	writeHomeFile(t, home, ".bashrc", "source "+bashCompletion(t)+"\nPS1='ready> '\n")
	if install != "" {
		runIn(t, home, program, "-c", install)
	}
	term := startTerminal(t, home, program, "-i")
	term.expect("ready> ")
	if load != "" {
		term.write(load + " && echo loa''ded\n")
		term.expect("loaded")
	}
	term.write("meshctl describe workload -f manifests -R prod")
	term.tabUntil("productpage-v1.bookinfo.")
	term.write("\t") // bash lists the choices at the second Tab
	term.tabUntil("productpage-v1.bookinfo.west  (Deployment in mesh istiod-istio-system-west)")
	term.write("w")
	term.tabUntil("-R productpage-v1.bookinfo.west ")
	term.write("--cluster west,")
	term.tabUntil("--cluster west,east ")
	term.write("-o j")
	term.tabUntil("-o json ")
	typeValues(term)
}

func testZsh(t *testing.T, install, load string) {
	t.Helper()
	program := requireProgram(t, "zsh")
	home := shellHome(t)
	writeHomeFile(t, home, ".zshrc", "")
	if install != "" {
		runIn(t, home, program, "-c", install)
	} else {
		writeHomeFile(t, home, ".zshrc", "autoload -Uz compinit && compinit\n")
	}
	file, err := os.OpenFile(filepath.Join(home, ".zshrc"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteString("PS1='ready> '\n"); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	term := startTerminal(t, home, program, "-i")
	term.expect("ready> ")
	if load != "" {
		term.write(load + " && echo loa''ded\n")
		term.expect("loaded")
	}
	term.write("meshctl describe workload -f manifests -R prod")
	term.tabUntil("productpage-v1.bookinfo.")
	term.tabUntil("productpage-v1.bookinfo.west  -- Deployment in mesh istiod-istio-system-west")
	term.write("w")
	term.tabUntil("-R productpage-v1.bookinfo.west ")
	term.write("--cluster west,")
	term.tabUntil("--cluster west,east ")
	term.write("-o j")
	term.tabUntil("-o json ")
	typeValues(term)
}

func testFish(t *testing.T, install, load string) {
	t.Helper()
	program := requireProgram(t, "fish")
	home := shellHome(t)
	if install != "" {
		runIn(t, home, program, "-c", install)
	}
	complete := func(line string) string {
		script := "complete -C " + "'" + line + "'"
		if load != "" {
			script = load + "; " + script
		}
		return runIn(t, home, program, "-c", script)
	}
	want := "productpage-v1.bookinfo.west\tDeployment in mesh istiod-istio-system-west\n"
	if got := complete("meshctl describe workload -f manifests -R prod"); !strings.Contains(got, want) {
		t.Errorf("names complete to\n%swithout\n%s", got, want)
	}
	if got := complete("meshctl describe workload -f manifests -R -o j"); !strings.HasPrefix(got, "json") {
		t.Errorf("a format completes to %q, not to json", got)
	}
	for line, want := range map[string]string{
		"create ap -f manifests -R --source=service-account=bookinfo-details.bookinfo.w": "--source=service-account=bookinfo-details.bookinfo.west\tof details-v1\n",
		"create ap -f manifests -R --source service-account=bookinfo-details.bookinfo.w": "service-account=bookinfo-details.bookinfo.west\tof details-v1\n",
		"create tp -f manifests -R --shift reviews.bookinfo.west:9080@version=":          "reviews.bookinfo.west:9080@version=v3\tof reviews-v3\n",
		"describe workload -f manifests -R -l app=prod":                                  "app=productpage\t2 workloads\n",
	} {
		if got := complete("meshctl " + line); got != want {
			t.Errorf("%s completes to\n%qnot to\n%q", line, got, want)
		}
	}
}

// typeValues completes values that consist of several parts.
func typeValues(term *terminal) {
	term.t.Helper()
	const noLine = "\x15"
	term.write(noLine + "meshctl create ap -f manifests -R --source=service-account=bookinfo-d")
	term.tabUntil(" --source=service-account=bookinfo-details.bookinfo.")
	term.write("w")
	term.tabUntil(" --source=service-account=bookinfo-details.bookinfo.west ")
	term.write("--source service-account=bookinfo-ra")
	term.tabUntil(" --source service-account=bookinfo-ratings.bookinfo.")
	term.write(noLine + "meshctl create tp -f manifests -R --shift reviews.bookinfo.west:9080@version=")
	term.tabUntil("--shift reviews.bookinfo.west:9080@version=v3 ")
	term.write(noLine + "meshctl create tp -f manifests -R --shift=reviews.bookinfo.west@version=v3,ap")
	term.tabUntil("--shift=reviews.bookinfo.west@version=v3,app=reviews ")
	term.write(noLine + "meshctl describe workload -f manifests -R -l ap")
	term.tabUntil("-R -l app=")
	term.write("prod")
	term.tabUntil("-R -l app=productpage ")
	term.write(noLine + "meshctl diff --base manifests -R --delete tp/reviews-t")
	term.tabUntil("--delete tp/reviews-timeout-storefront.gloo-mesh ")
}

// requireProgram returns the path of a program. The test is skipped without it, except in
// continuous integration.
func requireProgram(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		missing(t, name)
	}
	return path
}

func missing(t *testing.T, name string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is not installed; .ci/run should have seen to that", name)
	}
	t.Skipf("install %s to check completion in it; continuous integration does", name)
}

// bashCompletion returns the path of the package bash-completion.
func bashCompletion(t *testing.T) string {
	t.Helper()
	for _, path := range []string{
		"/usr/share/bash-completion/bash_completion", "/opt/homebrew/etc/profile.d/bash_completion.sh", "/usr/local/etc/profile.d/bash_completion.sh",
	} {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	missing(t, "bash-completion")
	return ""
}

// shellHome returns a home directory with a copy of the bundled world.
func shellHome(t *testing.T) string {
	t.Helper()
	StartsProcesses(t)
	home := t.TempDir()
	if err := os.CopyFS(filepath.Join(home, "manifests"), os.DirFS(bookinfo)); err != nil {
		t.Fatal(err)
	}
	return home
}

func writeHomeFile(t *testing.T, home, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(home, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func shellEnv(home string) []string {
	return append(cleanEnv(), "HOME="+home, "XDG_CONFIG_HOME="+home+"/.config", "XDG_DATA_HOME="+home+"/.local/share", "TERM=xterm", "LC_ALL=C.UTF-8")
}

// runIn runs a program in a home directory and returns its output.
func runIn(t *testing.T, home, program string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir, cmd.Env = home, shellEnv(home)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", program, args, err, out)
	}
	return string(out)
}

// patience is how long a test waits for a shell, even on a busy machine.
const patience = 2 * time.Minute

// terminal is a shell on a pseudo-terminal.
type terminal struct {
	t      *testing.T
	pty    *os.File
	screen vt10x.Terminal
	// changed receives a value when there is output.
	changed chan struct{}
}

func startTerminal(t *testing.T, home, program string, args ...string) *terminal {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir, cmd.Env = home, shellEnv(home)
	const columns, rows = 160, 50
	device, err := pty.StartWithSize(cmd, &pty.Winsize{Cols: columns, Rows: rows})
	if err != nil {
		t.Fatal(err)
	}
	term := &terminal{t: t, pty: device, screen: vt10x.New(vt10x.WithSize(columns, rows)), changed: make(chan struct{}, 1)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buffer := make([]byte, 4096)
		for {
			n, err := device.Read(buffer)
			_, _ = term.screen.Write(buffer[:n])
			select {
			case term.changed <- struct{}{}:
			default:
			}
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = device.Close()
		<-done
		_ = cmd.Wait()
	})
	return term
}

func (s *terminal) write(text string) {
	s.t.Helper()
	if _, err := s.pty.WriteString(text); err != nil {
		s.t.Fatal(err)
	}
}

// expect waits until the screen shows the text.
func (s *terminal) expect(text string) {
	s.t.Helper()
	deadline := time.After(patience)
	for !strings.Contains(s.text(), text) {
		select {
		case <-s.changed:
		case <-deadline:
			s.t.Fatalf("the screen does not show %q:\n%s", text, s.text())
		}
	}
}

// tabUntil presses Tab and waits until the screen shows the text.
func (s *terminal) tabUntil(text string) {
	s.t.Helper()
	s.write("\t")
	s.expect(text)
}

var blankEnds = regexp.MustCompile(` +\n`)

// text returns the visible text, including the blanks before the cursor.
func (s *terminal) text() string {
	return blankEnds.ReplaceAllString(s.screen.String()+"\n", " \n")
}

func testStreams() *cli.Streams {
	streams, _, _ := cli.Test("")
	return streams
}
