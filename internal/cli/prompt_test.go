package cli

import "testing"

func TestCanPrompt(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		in, out bool
		noInput bool
		env     map[string]string
		want    bool
	}{
		{name: "terminal", in: true, out: true, want: true},
		{name: "input is a pipe", out: true},
		{name: "output is a pipe", in: true},
		{name: "--no-input", in: true, out: true, noInput: true},
		{name: "continuous integration", in: true, out: true, env: map[string]string{"CI": "true"}},
		{name: "a terminal that cannot move the cursor", in: true, out: true, env: map[string]string{"TERM": "dumb"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			streams, _, _ := Test("")
			streams.InTerminal, streams.OutTerminal, streams.NoInput = tt.in, tt.out, tt.noInput
			streams.Getenv = func(name string) string { return tt.env[name] }
			if got := streams.CanPrompt(); got != tt.want {
				t.Errorf("CanPrompt() = %t, want %t", got, tt.want)
			}
			if streams.Dialogue() != nil {
				t.Error("Dialogue() is not nil for streams that are no files")
			}
		})
	}
}
