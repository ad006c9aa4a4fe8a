package cli

// ColorMode is the value of the --color flag.
type ColorMode string

// The colour modes. ColorAuto colours a terminal unless NO_COLOR is set to
// anything or TERM is dumb; the other two ignore the environment.
const (
	ColorAuto   ColorMode = "auto"
	ColorAlways ColorMode = "always"
	ColorNever  ColorMode = "never"
)

// ColorModes returns all modes in the order in which help shows them.
func ColorModes() []ColorMode {
	return []ColorMode{ColorAuto, ColorAlways, ColorNever}
}

// OutColor reports whether human-readable text on Out may be coloured.
func (s *Streams) OutColor() bool { return s.colored(s.OutTerminal) }

// ErrColor reports whether human-readable text on Err may be coloured.
func (s *Streams) ErrColor() bool { return s.colored(s.ErrTerminal) }

func (s *Streams) colored(terminal bool) bool {
	switch s.Color {
	case ColorAlways:
		return true
	case ColorNever:
		return false
	case ColorAuto:
	}
	return terminal && s.Getenv("NO_COLOR") == "" && s.Getenv("TERM") != "dumb"
}
