package client

import (
	"bufio"
	"context"
	"net"
	"time"
)

// kept is a connection that is watched between requests, so that its end is
// known before the next one is sent.
type kept struct {
	conn   net.Conn
	reader *bufio.Reader
	// ended gets the result of waiting for a byte. It is nil for a connection
	// that has not had an exchange.
	ended chan error
}

func newKept(conn net.Conn) *kept {
	return &kept{conn: conn, reader: bufio.NewReader(conn)}
}

// interruptedBy makes reads and writes fail when ctx ends. What it returns
// releases the connection again, and reports false if it was interrupted.
func (k *kept) interruptedBy(ctx context.Context) func() bool {
	return context.AfterFunc(ctx, func() {
		_ = k.conn.SetDeadline(time.Unix(1, 0)) // fails for closed connections only
	})
}

// keep watches the connection until the next exchange.
func (k *kept) keep() {
	ended := make(chan error, 1)
	k.ended = ended
	go func() {
		_, err := k.reader.Peek(1)
		ended <- err
	}()
}

// resume ends the watch by waiting for the first byte of the answer.
func (k *kept) resume() error {
	if k.ended == nil {
		return nil
	}
	err := <-k.ended
	k.ended = nil
	return err
}

// alive is false for connections that ended, and for those with bytes that
// nobody asked for.
func (k *kept) alive() bool {
	if k.ended == nil {
		return false
	}
	select {
	case err := <-k.ended:
		k.ended <- err
		return false
	default:
		return true
	}
}

func (k *kept) close() {
	_ = k.conn.Close() // what arrived has been read
	_ = k.resume()
}
