//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package wizard_test

import "golang.org/x/sys/unix"

const getTermios = unix.TIOCGETA
