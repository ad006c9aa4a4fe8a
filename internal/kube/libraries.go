package kube

import (
	"context"
	"log/slog"
	"strings"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
)

// maxLibraryDetail is the most detailed level of klog that is ever shown: beyond
// it, client-go logs headers and bodies, which have credentials.
const maxLibraryDetail = 4

// LogLibrariesTo passes on what the libraries log (client-go by klog, others by the
// log and slog of Go), line by line and in one form, and keeps them from writing to
// the terminal. What they say about failed requests are errors of meshctl too, so
// it is shown only to users who asked for more: verbosity says how often they did.
// It is for the start of the program, before anything else runs.
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
	slog.SetDefault(slog.New(handler)) // the log package writes there too
}

// libraryHandler drops what is more detailed than the user asked for.
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

// Handle implements slog.Handler. The errors of klog come without a question
// whether they are enabled.
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

// libraryLines is a writer of whole lines.
type libraryLines func(format string, args ...any)

// Write implements io.Writer.
func (l libraryLines) Write(text []byte) (int, error) {
	for line := range strings.Lines(string(text)) {
		l("library: %s", strings.TrimRight(line, "\n"))
	}
	return len(text), nil
}
