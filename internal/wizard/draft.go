package wizard

// Draft is a resource that is being asked for. A flow fills what is missing.
type Draft[I any] struct {
	// Name and Namespace are empty if they are not decided.
	Name, Namespace string
	Input           *I
	// Given says whether the flag, named without dashes, was on the command line;
	// what it sets is not asked for. Nil means that no flag was.
	Given func(flag string) bool
}

// given says whether one of the flags was on the command line.
func (d *Draft[I]) given(flags ...string) bool {
	if d.Given == nil {
		return false
	}
	for _, flag := range flags {
		if d.Given(flag) {
			return true
		}
	}
	return false
}
