//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/meshctl/meshctl/hack/lab/mesh"
)

// socket is the file by which commands reach the running lab, whatever network
// they are in.
const socket = "exec.sock"

// order is a command to run in a pod.
type order struct {
	Pod  string
	Args []string
	Env  []string
}

// ended is the answer to an order.
type ended struct {
	Code  int
	Error string
}

// execute has the lab run a command in a pod, with the streams of this process,
// and returns its exit code.
func execute(dir, pod string, args []string) (int, error) {
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: filepath.Join(dir, socket), Net: "unix"})
	if err != nil {
		return 1, fmt.Errorf("no lab is running: start it with `make lab-up`: %w", err)
	}
	defer conn.Close() //nolint:errcheck // Everything was answered.
	text, err := json.Marshal(order{Pod: pod, Args: args, Env: os.Environ()})
	if err != nil {
		return 1, err
	}
	streams := unix.UnixRights(int(os.Stdin.Fd()), int(os.Stdout.Fd()), int(os.Stderr.Fd()))
	if _, _, err := conn.WriteMsgUnix(text, streams, nil); err != nil {
		return 1, fmt.Errorf("ask the lab: %w", err)
	}
	var answer ended
	if err := json.NewDecoder(conn).Decode(&answer); err != nil {
		return 1, fmt.Errorf("the lab has ended: %w", err)
	}
	if answer.Error != "" {
		return answer.Code, errors.New(answer.Error)
	}
	return answer.Code, nil
}

// serve answers orders until the context ends.
func serve(ctx context.Context, l *mesh.Lab, path string) error {
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { listener.Close() }) //nolint:errcheck // It ends anyway.
	go func() {
		for {
			conn, err := listener.AcceptUnix()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close() //nolint:errcheck // The answer was written.
				code, err := obey(ctx, l, conn)
				answer := ended{Code: code}
				if err != nil {
					answer.Error = err.Error()
				}
				json.NewEncoder(conn).Encode(answer) //nolint:errcheck // Whoever asked has left.
			}()
		}
	}()
	return nil
}

// obey runs one order.
func obey(ctx context.Context, l *mesh.Lab, conn *net.UnixConn) (int, error) {
	text, rights := make([]byte, 1<<20), make([]byte, 256)
	n, size, _, _, err := conn.ReadMsgUnix(text, rights)
	if err != nil {
		return 1, err
	}
	var o order
	if err := json.Unmarshal(text[:n], &o); err != nil {
		return 1, err
	}
	streams, err := filesOf(rights[:size])
	if err != nil {
		return 1, err
	}
	defer func() {
		for _, stream := range streams {
			stream.Close()
		}
	}()
	parts := strings.SplitN(o.Pod, ".", 3)
	if len(parts) != 3 {
		return 2, fmt.Errorf("%q is not WORKLOAD.NAMESPACE.CLUSTER", o.Pod)
	}
	pod, err := l.Pod(parts[2], parts[1], parts[0])
	if err != nil {
		return 1, err
	}
	cmd, err := pod.Command(o.Args, o.Env)
	if err != nil {
		return 1, err
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = streams[0], streams[1], streams[2]
	if err := pod.Host.Do(cmd.Start); err != nil {
		return 1, err
	}
	stop := context.AfterFunc(ctx, func() { cmd.Process.Kill() }) //nolint:errcheck // It may have ended.
	defer stop()
	err = cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return 1, err
	}
	return cmd.ProcessState.ExitCode(), nil
}

// filesOf returns the three streams that came with an order.
func filesOf(rights []byte) ([]*os.File, error) {
	messages, err := unix.ParseSocketControlMessage(rights)
	if err != nil {
		return nil, err
	}
	var files []*os.File
	for i := range messages {
		numbers, err := unix.ParseUnixRights(&messages[i])
		if err != nil {
			return nil, err
		}
		for _, fd := range numbers {
			files = append(files, os.NewFile(uintptr(fd), "stream"))
		}
	}
	if len(files) != 3 {
		return nil, fmt.Errorf("%d streams came with the command instead of 3", len(files))
	}
	return files, nil
}
