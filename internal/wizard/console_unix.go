//go:build unix

package wizard

import (
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// waitReadable waits until the file can be read without blocking, or has ended,
// and returns false if that did not happen in time.
func waitReadable(file *os.File, timeout time.Duration) (bool, error) {
	fd := int(file.Fd())
	var set unix.FdSet
	if fd >= unix.FD_SETSIZE {
		return true, nil // beyond what can be waited for; block instead
	}
	set.Set(fd)
	limit := unix.NsecToTimeval(timeout.Nanoseconds())
	n, err := unix.Select(fd+1, &set, nil, nil, &limit)
	if errors.Is(err, unix.EINTR) {
		return false, nil
	}
	return n > 0, err
}
