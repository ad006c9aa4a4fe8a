package describe

import (
	"bytes"
	"strings"
)

// selfWriting is an item that knows a cheaper way to be written than encoding
// all of it; the text is the same.
type selfWriting interface {
	writeJSON(w *jsonWriter, indent string)
}

// writeJSON writes the description. Most of a summary are policies that many
// workloads share, so their text is made once and repeated.
func (d *WorkloadDescription) writeJSON(w *jsonWriter, indent string) {
	if len(d.Policies) == 0 || d.detailed {
		w.value(indent, d)
		return
	}
	head := *d
	head.Policies, head.Outbound, head.Inbound = nil, nil, nil
	tail := struct {
		Outbound []OutboundDestination `json:"outbound,omitempty"`
		Inbound  []InboundDestination  `json:"inbound,omitempty"`
	}{d.Outbound, d.Inbound}

	line := "\n" + indent + "  "
	w.text(withoutEnd(w.encode(indent, head)))
	w.text("," + line + `"policies": [`)
	for i, p := range d.Policies {
		if i > 0 {
			w.text(",")
		}
		w.text(line + "  ")
		w.shared(indent+"    ", p)
	}
	w.text(line + "]")
	if len(d.Outbound)+len(d.Inbound) > 0 {
		w.text("," + strings.TrimPrefix(withoutEnd(w.encode(indent, tail)), "{"))
	}
	w.text("\n" + indent + "}")
}

// withoutEnd cuts the line with the closing brace off an indented object that
// has fields.
func withoutEnd(object []byte) string {
	return string(object[:max(0, bytes.LastIndexByte(object, '\n'))])
}

// shared writes a value that is met again and again, at the same indentation.
func (w *jsonWriter) shared(indent string, value *PolicyEffect) {
	text, known := w.known[value]
	if !known {
		text = string(w.encode(indent, value))
		w.known[value] = text
	}
	w.text(text)
}
