package kube

import (
	"context"
	"log/slog"
	"strings"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
)

// maxLibraryDetail is the most detailed klog level that is ever shown. Above it,
// client-go logs headers and bodies, which contain credentials.
const maxLibraryDetail = 4

// LogLibrariesTo redirects the logs of libraries (klog of client-go, Go's log and
// slog) to line, in a uniform format, and keeps them off the terminal. meshctl
// reports failed requests as errors of its own, so library logs are shown only
// with -v: verbosity returns the number of -v flags. Call it at the start of the
// program, before anything else runs.
func LogLibrariesTo(line func(format string, args ...any), verbosity func() int) {
	text := slog.NewTextHandler(libraryLines(line), &slog.HandlerOptions{
		Level: slog.Level(-maxLibraryDetail),
		ReplaceAttr: func(groups []string, attr slog.Attr) slog.Attr {
			if attr.Key == slog.TimeKey && len(groups) == 0 {
				return slog.Attr{}
			}
			return attr
		},
	})
	handler := libraryHandler{text, verbosity}
	klog.SetLoggerWithOptions(logr.FromSlogHandler(handler), klog.ContextualLogger(true))
	slog.SetDefault(slog.New(handler)) // the log package also writes there
}

// libraryHandler drops records that are more detailed than requested.
type libraryHandler struct {
	slog.Handler
	verbosity func() int
}

// Enabled implements slog.Handler.
func (h libraryHandler) Enabled(ctx context.Context, level slog.Level) bool {
	switch h.verbosity() {
	case 0:
		return false
	case 1:
		return level >= slog.LevelInfo
	default:
		return h.Handler.Enabled(ctx, level)
	}
}

// Handle implements slog.Handler. klog does not call Enabled for errors.
func (h libraryHandler) Handle(ctx context.Context, record slog.Record) error {
	if !h.Enabled(ctx, record.Level) {
		return nil
	}
	return h.Handler.Handle(ctx, record)
}

// WithAttrs implements slog.Handler.
func (h libraryHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return libraryHandler{h.Handler.WithAttrs(attrs), h.verbosity}
}

// WithGroup implements slog.Handler.
func (h libraryHandler) WithGroup(name string) slog.Handler {
	return libraryHandler{h.Handler.WithGroup(name), h.verbosity}
}

// libraryLines is a writer that receives whole lines.
type libraryLines func(format string, args ...any)

// Write implements io.Writer.
func (l libraryLines) Write(text []byte) (int, error) {
	for line := range strings.Lines(string(text)) {
		l("library: %s", strings.TrimRight(line, "\n"))
	}
	return len(text), nil
}
