//go:build linux

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/meshctl/meshctl/hack/lab/machine"
	"github.com/meshctl/meshctl/hack/lab/mesh"
)

// serversFile has the addresses of the API servers; it appears when the lab is
// ready.
const serversFile = "servers"

func writeServers(dir string, l *mesh.Lab) error {
	var addresses []string
	names := []string{mesh.Management}
	for _, c := range l.Clusters {
		names = append(names, c.Name)
	}
	for _, name := range names {
		server, err := url.Parse(l.Server(name))
		if err != nil {
			return err
		}
		addresses = append(addresses, server.Host)
	}
	text, err := json.Marshal(addresses)
	if err != nil {
		return err
	}
	temporary := filepath.Join(dir, "."+serversFile)
	if err := os.WriteFile(temporary, text, 0o600); err != nil {
		return err
	}
	return os.Rename(temporary, filepath.Join(dir, serversFile))
}

// forwardAll makes the API servers of the lab, whose process is given, be
// reached by the same addresses outside of it, and then says that all is ready.
func forwardAll(dir string, pid int) error {
	var text []byte
	for {
		var err error
		text, err = os.ReadFile(filepath.Join(dir, serversFile))
		if err == nil {
			break
		}
		if !errors.Is(err, os.ErrNotExist) {
			return err
		}
		time.Sleep(100 * time.Millisecond)
	}
	var addresses []string
	if err := json.Unmarshal(text, &addresses); err != nil {
		return err
	}
	inside, err := machine.Enter(pid)
	if err != nil {
		return err
	}
	for _, address := range addresses {
		listener, err := net.Listen("tcp", address)
		if err != nil {
			return fmt.Errorf("forward to the API server at %s: %w", address, err)
		}
		go forward(listener, inside, address)
	}
	return os.WriteFile(filepath.Join(dir, "ready"), nil, 0o600)
}

// forward copies connections to the same address inside of the lab.
func forward(listener net.Listener, inside *machine.Host, address string) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close() //nolint:errcheck // Both ends have what they need.
			server, err := inside.Dial("tcp", address)
			if err != nil {
				return
			}
			defer server.Close() //nolint:errcheck // Both ends have what they need.
			go func() {
				io.Copy(server, conn)              //nolint:errcheck // Either end may close.
				server.(*net.TCPConn).CloseWrite() //nolint:errcheck,forcetypeassert // It is one.
			}()
			io.Copy(conn, server) //nolint:errcheck // Either end may close.
		}()
	}
}
