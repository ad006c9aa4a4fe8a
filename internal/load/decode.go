package load

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/world"
	"github.com/meshctl/meshctl/pkg/api/validation"
)

// objectID identifies an object; it is unique within a world.
type objectID struct{ kind, namespace, name string }

// String returns KIND/NAME.NAMESPACE, the notation used in findings.
func (id objectID) String() string { return id.kind + "/" + id.name + "." + id.namespace }

// entry is the result of decoding one object.
type entry struct {
	origin world.Origin
	// store adds the object to the loaded objects; nil if the object cannot be used.
	store func(*world.Objects)
	// id identifies the object that store adds.
	id       objectID
	problems []world.Problem
	// ignored is true for an object of a kind that meshctl does not use.
	ignored bool
	// secret is set for a Secret, if these are read.
	secret *kube.Secret
}

// outcome is the result of decoding one piece of a file.
type outcome struct {
	role   role
	origin world.Origin
	// entries are the objects of the piece. For roleRest, they are the objects of the document
	// if it turns out not to be a List.
	entries []entry
	// problem says why the piece could not be parsed; nil if it could.
	problem *world.Problem
	// list is the type of the List; set only for roleRest, and only if isList is true.
	list   listType
	isList bool
	// again is a piece that may have to be decoded once more: an item without a kind, read
	// before the kind of its List was known, or the whole document of a List.
	again *piece
}

// decoder turns pieces into objects. It must not be shared between goroutines.
type decoder struct {
	parser    *parser
	kinds     kindTable
	checker   checker
	namespace string
	// secrets says that Secrets are read.
	secrets bool
}

// decode decodes a piece. Whatever is wrong with the piece becomes part of the outcome.
func (d *decoder) decode(p piece) outcome {
	o := outcome{role: p.role, origin: p.origin}
	if p.whole != nil {
		o.again = &piece{origin: p.origin, form: p.form, text: p.whole, line: p.line}
	}
	value, err := d.parser.parse(p.text, p.form)
	if err == nil && p.role == roleItem && p.form == formYAML {
		value, err = onlyElement(value)
	}
	if err != nil {
		if p.role == roleRest {
			err.line = 0 // line numbers are off because the items were cut out
		}
		o.problem = err.problem(p)
		return o
	}
	switch p.role {
	case roleWhole:
		o.entries = d.document(value, p.origin, p.itemLines)
	case roleItem:
		if object, ok := value.(map[string]any); ok && p.list.kind == "" && textField(object, "kind") == "" {
			o.again = &p
			return o
		}
		o.entries = d.item(value, p.origin, p.list)
	case roleRest:
		if o.list, o.isList = listOf(value); !o.isList {
			o.entries = d.document(value, p.origin, nil)
		}
	}
	return o
}

// onlyElement returns the element of a one-element sequence: a YAML item still has its leading
// dash.
func onlyElement(value any) (any, *syntaxError) {
	if sequence, ok := value.([]any); ok && len(sequence) == 1 {
		return sequence[0], nil
	}
	return nil, &syntaxError{message: "not a single list item"}
}

func (e *syntaxError) problem(p piece) *world.Problem {
	origin := p.origin
	if e.line > 0 {
		origin.Line = p.line + e.line - 1
	}
	return &world.Problem{Kind: world.UnreadableDocument, Origin: origin, Message: e.message, Hint: e.hint}
}

// document decodes a complete document: an object, a List, or a file that is not for
// Kubernetes. itemLines are the lines where the items start, if known.
func (d *decoder) document(value any, origin world.Origin, itemLines []int) []entry {
	switch v := value.(type) {
	case nil:
		return nil
	case map[string]any:
		list, ok := listOf(v)
		if !ok {
			return []entry{d.object(v, origin, listType{})}
		}
		items, _ := v["items"].([]any)
		var entries []entry
		for i, item := range items {
			origin := world.Origin{File: origin.File, Document: origin.Document, Item: i + 1}
			if len(itemLines) == len(items) {
				origin.Line = itemLines[i]
			}
			entries = append(entries, d.item(item, origin, list)...)
			items[i] = nil
		}
		return entries
	case []any:
		for _, element := range v {
			if object, ok := element.(map[string]any); ok && (looksLikeObject(object) || textField(object, "kind") != "") {
				return []entry{unreadable(origin, "document is a bare sequence of objects", `put the objects below "items:" of a "kind: List"`)}
			}
		}
	}
	return []entry{{origin: origin, ignored: true}}
}

// item decodes one item of a List. The items of a nested List are added one by one.
func (d *decoder) item(value any, origin world.Origin, list listType) []entry {
	switch v := value.(type) {
	case nil:
		return nil
	case map[string]any:
		inner, ok := listOf(v)
		if !ok {
			return []entry{d.object(v, origin, list)}
		}
		items, _ := v["items"].([]any)
		var entries []entry
		for _, item := range items {
			entries = append(entries, d.item(item, origin, inner)...)
		}
		return entries
	}
	return []entry{unreadable(origin, "item is not an object", "")}
}

// listType is the type of a List. The zero value means unknown.
type listType struct{ apiVersion, kind string }

// itemType returns the type of items that do not state their own. It is empty for a List of
// mixed kinds.
func (l listType) itemType() (apiVersion, kind string) {
	if kind = strings.TrimSuffix(l.kind, "List"); kind == "" {
		return "", ""
	}
	return l.apiVersion, kind
}

// listOf returns the type of value and true if it is a List, that is, if its kind ends in List
// and it has items.
func listOf(value any) (listType, bool) {
	object, ok := value.(map[string]any)
	if !ok {
		return listType{}, false
	}
	list := listType{apiVersion: textField(object, "apiVersion"), kind: textField(object, "kind")}
	if !strings.HasSuffix(list.kind, "List") {
		return listType{}, false
	}
	switch items, found := object["items"]; items.(type) {
	case []any:
		return list, true
	case nil:
		return list, found || list.kind == "List"
	default:
		return listType{}, false
	}
}

// listTypeOf returns the type of a List, given the text before its items.
func listTypeOf(text []byte, notation form) listType {
	value, err := newParser().parse(text, notation)
	if err != nil {
		return listType{}
	}
	list, _ := listOf(value)
	return list
}

// object decodes one object. If it does not state its type, it has the type of the items of
// its List.
func (d *decoder) object(object map[string]any, origin world.Origin, list listType) entry {
	apiVersion, kind := textField(object, "apiVersion"), textField(object, "kind")
	listVersion, listKind := list.itemType()
	if kind == "" && listKind != "" {
		kind = listKind
	}
	if apiVersion == "" && kind == listKind {
		apiVersion = listVersion
	}
	switch {
	case kind == "" && !looksLikeObject(object):
		return entry{origin: origin, ignored: true}
	case kind == "":
		return unreadable(origin, pieceName(origin)+" has no kind; Kubernetes objects have apiVersion, kind and metadata", d.kinds.hintForMissing(apiVersion))
	case apiVersion == "" && !looksLikeObject(object):
		return entry{origin: origin, ignored: true}
	case apiVersion == "":
		return unreadable(origin, fmt.Sprintf("%s of kind %s has no apiVersion", pieceName(origin), kind), d.kinds.hintForVersion(kind))
	}
	id := objectID{kind: kind, namespace: d.namespace}
	if metadata, ok := object["metadata"].(map[string]any); ok {
		id.name = textField(metadata, "name")
		if namespace := textField(metadata, "namespace"); namespace != "" {
			id.namespace = namespace
		}
	}
	gv, err := schema.ParseGroupVersion(apiVersion)
	if err != nil {
		return unreadable(origin, fmt.Sprintf("apiVersion %q is not of the form GROUP/VERSION", apiVersion), d.kinds.hintForVersion(kind))
	}
	known, problem := d.kinds.find(gv.WithKind(kind))
	switch {
	case d.secrets && isSecret(gv.WithKind(kind)):
		return entry{origin: origin, ignored: true, secret: secretOf(object, id)}
	case problem != nil:
		problem.Origin, problem.Object = origin, id.partial()
		return entry{origin: origin, problems: []world.Problem{*problem}}
	case known == nil:
		return entry{origin: origin, ignored: true}
	case id.name == "":
		return entry{origin: origin, problems: []world.Problem{{
			Kind: world.SchemaViolation, Origin: origin, Object: kind,
			Message: "metadata.name: must be a non-empty string", Hint: "the object is ignored; set a name, and quote it if it looks like a number or a boolean",
			LeftOut: true,
		}}}
	}
	object["apiVersion"], object["kind"] = apiVersion, kind
	return d.known(*known, object, id, origin)
}

// known decodes an object of a modelled kind.
func (d *decoder) known(kind modelledKind, object map[string]any, id objectID, origin world.Origin) entry {
	metadata := object["metadata"].(map[string]any)
	metadata["namespace"] = id.namespace
	delete(metadata, "managedFields")
	e := entry{origin: origin, id: id}
	report, err := d.checker.Check(kind.gvk, object)
	if err != nil {
		// Every kind in the table has a schema, so this should not happen.
		e.problems = append(e.problems, world.Problem{Kind: world.UnknownKind, Origin: origin, Object: id.String(), Message: err.Error()})
		return e
	}
	if kind.discovered() && len(report.Errors) > 0 {
		var ignored []validation.FieldError
		if report, ignored, err = checkFacts(d.checker, kind.gvk, object, report); err != nil {
			e.problems = append(e.problems, world.Problem{Kind: world.UnknownKind, Origin: origin, Object: id.String(), Message: err.Error()})
			return e
		}
		for _, f := range ignored {
			e.problems = append(e.problems, ignoredFact(origin, id.String(), f.String()))
		}
	}
	for _, f := range report.Unknown {
		message := "unknown field " + f.Path
		if f.Suggestion != "" {
			message += ", did you mean " + f.Suggestion + "?"
		}
		hint := "the field is ignored"
		if f.LeavesEmpty && strings.HasPrefix(f.Path, "spec.sourceSelector[") {
			hint = "the field is ignored, and the remaining empty selector matches everything"
		}
		e.problems = append(e.problems, world.Problem{Kind: world.UnknownField, Origin: origin, Object: id.String(), Message: message, Hint: hint})
	}
	var violations []string
	for _, f := range report.Errors {
		violations = append(violations, f.String())
	}
	store, err := kind.decode(object, origin, violations)
	if err != nil && len(violations) == 0 {
		violations = append(violations, "cannot be read as "+id.kind+": "+err.Error())
		store, _ = kind.decode(object, origin, violations)
	}
	e.store = store
	for _, message := range violations {
		e.problems = append(e.problems, world.Problem{
			Kind: world.SchemaViolation, Origin: origin, Object: id.String(), Message: message, LeftOut: kind.discovered(),
		})
	}
	return e
}

// partial returns String, or only the kind if the name is missing.
func (id objectID) partial() string {
	if id.name == "" {
		return id.kind
	}
	return id.String()
}

func unreadable(origin world.Origin, message, hint string) entry {
	return entry{origin: origin, problems: []world.Problem{
		{Kind: world.UnreadableDocument, Origin: origin, Message: message, Hint: hint},
	}}
}

func pieceName(origin world.Origin) string {
	if origin.Item > 0 {
		return "item"
	}
	return "document"
}

// looksLikeObject reports whether a mapping is meant to be a Kubernetes object, as opposed to,
// for example, the values file of a chart in the same directory.
func looksLikeObject(object map[string]any) bool {
	for _, field := range []string{"apiVersion", "metadata", "spec"} {
		if _, found := object[field]; found {
			return true
		}
	}
	return false
}

func textField(object map[string]any, field string) string {
	text, _ := object[field].(string)
	return text
}
