package create

import (
	"context"
	"fmt"
	"io"
	"os"
)

// maxManifestSize is the request limit of API servers in bytes: a larger manifest
// cannot be a resource.
const maxManifestSize = 3 << 20

// readManifest returns the content of a file, or all of standard input for "-".
// It stops waiting for a pipe when ctx ends.
func readManifest(ctx context.Context, path string, stdin io.Reader) ([]byte, error) {
	type content struct {
		text []byte
		err  error
	}
	done := make(chan content, 1)
	go func() {
		text, err := readLimited(path, stdin)
		done <- content{text, err}
	}()
	select {
	case c := <-done:
		return c.text, c.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func readLimited(path string, stdin io.Reader) ([]byte, error) {
	in := stdin
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		in = file
	}
	text, err := io.ReadAll(io.LimitReader(in, maxManifestSize+1))
	if err == nil && len(text) > maxManifestSize {
		err = fmt.Errorf("larger than %d MiB", maxManifestSize>>20)
	}
	return text, err
}
