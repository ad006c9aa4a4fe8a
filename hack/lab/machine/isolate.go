//go:build linux

package machine

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// isolatedEnv marks the process that Isolate starts.
const isolatedEnv = "MESHCTL_LAB_ISOLATED"

// Isolate runs the program again in network, mount and process namespaces of
// its own and returns the exit code of that; inside of them it calls inside and
// returns what that returns. The programs that run in pods are the same program
// again, too (see Intercept), so main must call Intercept first. outside, which
// may be nil, is called with the number of the isolated process once it runs,
// and ends with it.
//
// The kernel kills the isolated process when this one ends, and everything in
// its namespaces with it.
func Isolate(inside func() int, outside func(pid int)) (int, error) {
	if os.Getenv(isolatedEnv) != "" {
		if err := prepareNamespaces(); err != nil {
			return 1, fmt.Errorf("prepare the namespaces of the lab: %w", err)
		}
		return inside(), nil
	}
	if err := possible(); err != nil {
		return 1, err
	}
	// The signal that Pdeathsig asks for is sent when this thread ends.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), isolatedEnv+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNET | unix.CLONE_NEWNS | unix.CLONE_NEWPID,
		Pdeathsig:  syscall.SIGKILL,
		Setpgid:    true,
	}
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	defer signal.Stop(signals)
	if err := cmd.Start(); err != nil {
		return 1, fmt.Errorf("start the lab in namespaces of its own: %w", err)
	}
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		for {
			select {
			case s := <-signals:
				cmd.Process.Signal(s) //nolint:errcheck // It may have ended.
			case <-ended:
				return
			}
		}
	}()
	if outside != nil {
		go outside(cmd.Process.Pid)
	}
	err := cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return 1, fmt.Errorf("wait for the lab: %w", err)
	}
	return cmd.ProcessState.ExitCode(), nil
}

// possible says what is missing on this machine for the lab to run.
func possible() error {
	if os.Geteuid() != 0 {
		return errors.New("the lab needs root: it makes network namespaces")
	}
	for _, program := range []string{"nft", "iptables-restore"} {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Errorf("the lab needs %s: install the packages iproute2, iptables and nftables", program)
		}
	}
	return nil
}

// prepareNamespaces makes the new namespaces usable: mounts stay inside,
// processes show in /proc, and packets are forwarded.
func prepareNamespaces() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("find the loopback device: %w", err)
	}
	if err := netlink.LinkSetUp(lo); err != nil {
		return fmt.Errorf("start the loopback device: %w", err)
	}
	// What leads to pods only after its address was translated needs a route to
	// begin with.
	virtual := &net.IPNet{IP: net.IPv4(10, 0, 0, 0), Mask: net.CIDRMask(8, 32)}
	if err := netlink.RouteReplace(&netlink.Route{LinkIndex: lo.Attrs().Index, Dst: virtual, Scope: netlink.SCOPE_LINK}); err != nil {
		return fmt.Errorf("add the route to virtual addresses: %w", err)
	}
	for file, value := range map[string]string{
		"/proc/sys/net/ipv4/ip_forward":               "1",
		"/proc/sys/net/ipv4/conf/all/rp_filter":       "0",
		"/proc/sys/net/ipv4/conf/default/rp_filter":   "0",
		"/proc/sys/net/ipv4/neigh/default/gc_thresh3": "4096",
	} {
		if err := os.WriteFile(file, []byte(value), 0o600); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}
