// Package settings holds the settings of users: which ones exist, how their values are
// determined (flag, MESHCTL_* variable, configuration file, default, in this order), and how
// the configuration file is edited without losing its other content.
package settings
