//go:build linux

package machine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// gateway is the next hop of every host. The near end of each link has it, so
// that hosts need no network of their own.
var gateway = net.IPv4(169, 254, 1, 1) //nolint:gochecknoglobals // A constant.

// Host is one computer: a network namespace with one address.
type Host struct {
	Name    string
	Address netip.Addr

	link string
	mu   sync.Mutex // Guards ns.
	ns   int        // The namespace, an open file; -1 once it is closed.
}

// NewHost makes a host with the address and joins it to the namespace of the
// lab, which forwards its packets.
func NewHost(name string, address netip.Addr) (*Host, error) {
	ns, err := newNamespace()
	if err != nil {
		return nil, fmt.Errorf("make the network namespace of %s: %w", name, err)
	}
	digest := sha256.Sum256([]byte(name + address.String()))
	h := &Host{Name: name, Address: address, ns: ns, link: "v" + hex.EncodeToString(digest[:6])}
	if err := h.join(); err != nil {
		h.Close()
		return nil, fmt.Errorf("join %s to the network: %w", name, err)
	}
	return h, nil
}

// Enter returns the network that a process lives in.
func Enter(pid int) (*Host, error) {
	ns, err := unix.Open(fmt.Sprintf("/proc/%d/ns/net", pid), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("find the network of process %d: %w", pid, err)
	}
	return &Host{Name: fmt.Sprintf("process %d", pid), ns: ns}, nil
}

// newNamespace returns a new network namespace as an open file.
func newNamespace() (int, error) {
	fd := -1
	err := onThread(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("unshare: %w", err)
		}
		var err error
		fd, err = unix.Open(fmt.Sprintf("/proc/self/task/%d/ns/net", unix.Gettid()), unix.O_RDONLY|unix.O_CLOEXEC, 0)
		return err
	})
	return fd, err
}

// onThread runs the function on a thread of its own that may change its
// namespaces: it ends with the function.
func onThread(f func() error) error {
	result := make(chan error)
	go func() {
		runtime.LockOSThread() // Never unlocked: the thread dies with the goroutine.
		result <- f()
	}()
	return <-result
}

// join makes the link between the host and the lab.
func (h *Host) join() error {
	attributes := netlink.NewLinkAttrs()
	attributes.Name = h.link
	veth := &netlink.Veth{LinkAttrs: attributes, PeerName: "eth0", PeerNamespace: netlink.NsFd(h.ns)}
	if err := netlink.LinkAdd(veth); err != nil {
		return fmt.Errorf("add a link: %w", err)
	}
	near, err := netlink.LinkByName(h.link)
	if err != nil {
		return err
	}
	if err := addAddress(near, gateway); err != nil {
		return err
	}
	if err := netlink.LinkSetUp(near); err != nil {
		return err
	}
	target := &net.IPNet{IP: h.Address.AsSlice(), Mask: net.CIDRMask(32, 32)}
	if err := netlink.RouteReplace(&netlink.Route{LinkIndex: near.Attrs().Index, Dst: target, Scope: netlink.SCOPE_LINK}); err != nil {
		return fmt.Errorf("add the route to %s: %w", h.Address, err)
	}
	return h.Do(h.configure)
}

// configure sets up the far end of the link, inside of the host.
func (h *Host) configure() error {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return err
	}
	eth0, err := netlink.LinkByName("eth0")
	if err != nil {
		return err
	}
	if err := addAddress(eth0, h.Address.AsSlice()); err != nil {
		return err
	}
	for _, link := range []netlink.Link{lo, eth0} {
		if err := netlink.LinkSetUp(link); err != nil {
			return err
		}
	}
	next := &net.IPNet{IP: gateway, Mask: net.CIDRMask(32, 32)}
	if err := netlink.RouteReplace(&netlink.Route{LinkIndex: eth0.Attrs().Index, Dst: next, Scope: netlink.SCOPE_LINK}); err != nil {
		return err
	}
	return netlink.RouteReplace(&netlink.Route{LinkIndex: eth0.Attrs().Index, Gw: gateway})
}

func addAddress(link netlink.Link, address net.IP) error {
	return netlink.AddrReplace(link, &netlink.Addr{IPNet: &net.IPNet{IP: address, Mask: net.CIDRMask(32, 32)}})
}

// AddAddress assigns an address to the lab's own loopback device, for what runs
// beside the hosts.
func AddAddress(address netip.Addr) error {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return err
	}
	return addAddress(lo, address.AsSlice())
}

// Do runs the function on a thread inside of the host's network. What it starts
// there, sockets and processes, stays there.
func (h *Host) Do(f func() error) error {
	h.mu.Lock()
	ns := h.ns
	h.mu.Unlock()
	if ns < 0 {
		return fmt.Errorf("%s is gone: %w", h.Name, net.ErrClosed)
	}
	return onThread(func() error {
		if err := unix.Setns(ns, unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("enter the network of %s: %w", h.Name, err)
		}
		return f()
	})
}

// DialContext connects from inside of the host. The address must be numeric.
func (h *Host) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	var conn net.Conn
	err := h.Do(func() error {
		var err error
		dialer := net.Dialer{Timeout: 30 * time.Second}
		conn, err = dialer.DialContext(ctx, network, address)
		return err
	})
	return conn, err
}

// Dial is DialContext without a context.
func (h *Host) Dial(network, address string) (net.Conn, error) {
	return h.DialContext(context.Background(), network, address)
}

// Listen listens inside of the host.
func (h *Host) Listen(ctx context.Context, network, address string) (net.Listener, error) {
	var listener net.Listener
	err := h.Do(func() error {
		var err error
		listener, err = new(net.ListenConfig).Listen(ctx, network, address)
		return err
	})
	return listener, err
}

// Close takes the host off the network. Its namespace goes when the last
// process in it has ended.
func (h *Host) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ns < 0 {
		return
	}
	if link, err := netlink.LinkByName(h.link); err == nil {
		netlink.LinkDel(link) //nolint:errcheck // It goes with the namespace otherwise.
	}
	unix.Close(h.ns) //nolint:errcheck // Nothing was written.
	h.ns = -1
}

// Rules replaces the lab's packet filter by the ruleset, in the language of
// nft.
func Rules(ctx context.Context, ruleset string) error {
	return runWithInput(ctx, ruleset, "nft", "-f", "-")
}

// exists reports whether the file is there.
func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// Show mounts a directory at another place, for this lab alone and to read
// only, so that users who may not enter the way to it can use it.
func Show(dir, at string) error {
	if err := os.MkdirAll(at, 0o755); err != nil {
		return err
	}
	if err := unix.Mount(dir, at, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("show %s at %s: %w", dir, at, err)
	}
	if err := unix.Mount("", at, "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY, ""); err != nil {
		return fmt.Errorf("protect %s at %s: %w", dir, at, err)
	}
	return nil
}

// Hide ends what Show began.
func Hide(at string) error { return unix.Unmount(at, unix.MNT_DETACH) }
