package load

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/world"
	"github.com/meshctl/meshctl/pkg/api/validation"
)

// FileOptions selects what Files reads.
type FileOptions struct {
	// Paths are files, directories, or "-" for Stdin. In directories, only files ending in
	// .yaml, .yml or .json are read.
	Paths []string
	// Recursive includes subdirectories.
	Recursive bool
	// Stdin is read for the path "-"; nil counts as empty.
	Stdin io.Reader
	// DefaultNamespace is the namespace of meshctl's objects that do not specify one;
	// world.DefaultNamespace if empty.
	DefaultNamespace string
	// MaxObjects limits the objects of all paths together; world.DefaultMaxObjects if 0.
	MaxObjects int
	// Secrets receives the Secrets of all paths in their order, without data if they
	// cannot be decoded. nil ignores them.
	Secrets *[]*kube.Secret
}

// TooManyObjectsError means that the input has more objects than the limit.
type TooManyObjectsError struct{ Limit int }

// Error implements error.
func (e *TooManyObjectsError) Error() string {
	return fmt.Sprintf("the input has more than %d objects: raise the limit with --max-objects", e.Limit)
}

// Files reads manifests: YAML or JSON files with one or more documents, and Lists. The result
// is in the order of the paths, the sorted file names in a directory, the documents, and the
// items. A file that is reached by two paths is read once.
//
// What is wrong with one file of a directory, with one document or with one
// object becomes a Problem. An error is returned for a path of the user that
// does not exist or cannot be read, for a directory without manifests, for "-"
// given twice, for objects that occur twice (naming all of them, with both
// places), for more objects than the limit, and when ctx ends.
func Files(ctx context.Context, opts FileOptions, v *validation.Validator) (world.Objects, error) {
	return readFiles(ctx, opts, v)
}

func readFiles(ctx context.Context, opts FileOptions, c checker) (world.Objects, error) {
	manifests, err := findManifests(opts.Paths, opts.Recursive)
	if err != nil {
		return world.Objects{}, err
	}
	if opts.DefaultNamespace == "" {
		opts.DefaultNamespace = world.DefaultNamespace
	}
	a, err := newLoader(opts, c, newKindTable()).load(ctx, manifests)
	if err != nil {
		return world.Objects{}, err
	}
	if opts.Secrets != nil {
		*opts.Secrets = a.secrets
	}
	return a.objects, a.duplicateError()
}

func newLoader(opts FileOptions, c checker, kinds kindTable) *loader {
	if opts.MaxObjects <= 0 {
		opts.MaxObjects = world.DefaultMaxObjects
	}
	return &loader{
		opts: opts, checker: c, kinds: kinds,
		queue: make(chan *job, maxPending), work: make(chan *job, maxPending),
	}
}

// load reads the files. It must be called only once. If an object occurs more than once, the
// first one is used.
func (l *loader) load(ctx context.Context, manifests []manifest) (*assembler, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	for range runtime.GOMAXPROCS(0) {
		go l.decode(ctx)
	}
	readErr := make(chan error, 1)
	go func() {
		readErr <- l.read(ctx, manifests)
		close(l.queue)
		close(l.work)
	}()
	a, err := l.assemble(ctx)
	if err != nil {
		// Do not wait for the reader: it may block on standard input.
		return nil, err
	}
	if err := <-readErr; err != nil {
		return nil, err
	}
	return a, nil
}

// maxPending limits how many pieces are in memory at once.
const maxPending = 256

// loader reads files in one goroutine, decodes their pieces in several, and assembles the
// outcomes in the order of reading.
type loader struct {
	opts    FileOptions
	checker checker
	kinds   kindTable
	// queue holds every job in order, work the jobs still to be decoded.
	queue, work chan *job
}

// job is a piece and, when it is done, its outcome.
type job struct {
	piece piece
	done  chan outcome
}

func (l *loader) newDecoder() *decoder {
	return &decoder{parser: newParser(), kinds: l.kinds, checker: l.checker, namespace: l.opts.DefaultNamespace, secrets: l.opts.Secrets != nil}
}

// decode processes jobs until there are no more.
func (l *loader) decode(ctx context.Context) {
	d := l.newDecoder()
	for {
		j, err := receive(ctx, l.work)
		if j == nil || err != nil {
			return
		}
		j.done <- d.decode(j.piece)
		j.piece = piece{}
	}
}

// read splits all files into jobs.
func (l *loader) read(ctx context.Context, manifests []manifest) error {
	for _, m := range manifests {
		err := l.readManifest(ctx, m)
		switch {
		case err == nil:
		case ctx.Err() != nil:
			return ctx.Err()
		case m.named:
			return fmt.Errorf("cannot read %s: %w", m.name, reason(err))
		default:
			l.report(ctx, world.Problem{
				Kind: world.UnreadableFile, Origin: world.Origin{File: m.name}, Message: "cannot read the file: " + reason(err).Error(),
			})
		}
	}
	return nil
}

func (l *loader) readManifest(ctx context.Context, m manifest) error {
	if m.unreadable != nil {
		return m.unreadable
	}
	in := l.opts.Stdin
	if !m.stdin {
		file, err := os.Open(m.name)
		if err != nil {
			return err
		}
		defer file.Close()
		in = file
	}
	if in == nil {
		return nil
	}
	return splitDocuments(ctx, m.name, in, func(p piece) error {
		j := &job{piece: p, done: make(chan outcome, 1)}
		if err := send(ctx, l.queue, j); err != nil {
			return err
		}
		return send(ctx, l.work, j)
	})
}

// report adds a problem at its place in the order of the outcomes.
func (l *loader) report(ctx context.Context, p world.Problem) {
	j := &job{done: make(chan outcome, 1)}
	j.done <- outcome{origin: p.Origin, problem: &p}
	_ = send(ctx, l.queue, j) // read notices on its own that ctx ended
}

func send(ctx context.Context, to chan<- *job, j *job) error {
	select {
	case to <- j:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// receive returns the next value of a channel, or the zero value if it is closed.
func receive[T any](ctx context.Context, from <-chan T) (T, error) {
	select {
	case value := <-from:
		return value, ctx.Err()
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

// assemble collects the outcomes in order.
func (l *loader) assemble(ctx context.Context) (*assembler, error) {
	a := &assembler{decoder: l.newDecoder(), origins: map[objectID]world.Origin{}}
	for {
		j, err := receive(ctx, l.queue)
		if j == nil && err == nil {
			return a, nil
		}
		var o outcome
		if err == nil {
			o, err = receive(ctx, j.done)
		}
		if err != nil {
			return nil, fmt.Errorf("loading manifests stopped: %w", err)
		}
		if a.add(o); a.count > l.opts.MaxObjects {
			return nil, &TooManyObjectsError{Limit: l.opts.MaxObjects}
		}
	}
}
