// Package wizard asks a person for what flags did not give. A flow per kind
// fills the kind's render input through a Prompter, offering only what exists;
// the Prompter is either a terminal or, in tests, a list of answers.
package wizard
