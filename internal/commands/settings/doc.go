// Package settings holds what a user may choose once instead of with every
// command: which settings there are, how their values are found (a flag, a
// MESHCTL_* variable, the configuration file, the default, in this order), and
// how the configuration file is changed without losing anything else in it.
package settings
