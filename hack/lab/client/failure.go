package client

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"

	"golang.org/x/net/http2"
)

// classify names an error of dialing, sending or receiving.
func classify(ctx context.Context, err error) Failure {
	// The connection is interrupted when the context ends, so that its errors
	// tell less than the context.
	if ended := ctx.Err(); errors.Is(ended, context.DeadlineExceeded) {
		return FailedTimeout
	} else if ended != nil {
		return FailedOther
	}
	var stream http2.StreamError
	var goAway http2.GoAwayError
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return FailedRefused
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.As(err, &stream):
		return FailedReset
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed), errors.As(err, &goAway):
		return FailedClosed
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded), errors.Is(err, syscall.ETIMEDOUT):
		return FailedTimeout
	default:
		return FailedOther
	}
}
