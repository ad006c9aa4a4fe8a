package load

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshctl/meshctl/internal/world"
)

// objectID identifies an object in the world: no two objects may share it.
type objectID struct{ kind, namespace, name string }

// String returns KIND/NAME.NAMESPACE, as findings name objects.
func (id objectID) String() string { return id.kind + "/" + id.name + "." + id.namespace }

// entry is what one object of the input came to.
type entry struct {
	origin world.Origin
	// store adds the object to the loaded ones; nil if it cannot be used.
	store func(*world.Objects)
	// id is that of the object to store.
	id       objectID
	problems []world.Problem
	// ignored: an object of a kind that is not modelled.
	ignored bool
}

// outcome is what one piece of a file came to.
type outcome struct {
	role   role
	origin world.Origin
	// entries are the objects of the piece; of a roleRest, what the document
	// comes to if it is no List.
	entries []entry
	// problem is why the piece could not be parsed, nil if it could.
	problem *world.Problem
	// list is the type of the List, if it is one; only for roleRest.
	list   listType
	isList bool
	// again is what may have to be decoded again: an item without a kind, of a
	// List whose kind was not known yet, or the whole of a List.
	again *piece
}

// decoder turns pieces into objects. It must not be shared between goroutines.
type decoder struct {
	parser    *parser
	kinds     kindTable
	checker   checker
	namespace string
}

// decode never fails: what is wrong with a piece is part of the outcome.
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
			err.line = 0 // lines are missing where the items were
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

// onlyElement undoes the dash before an item.
func onlyElement(value any) (any, *syntaxError) {
	if sequence, ok := value.([]any); ok && len(sequence) == 1 {
		return sequence[0], nil
	}
	return nil, &syntaxError{message: "not one item of a list"}
}

func (e *syntaxError) problem(p piece) *world.Problem {
	origin := p.origin
	if e.line > 0 {
		origin.Line = p.line + e.line - 1
	}
	return &world.Problem{Kind: world.UnreadableDocument, Origin: origin, Message: e.message, Hint: e.hint}
}

// document decodes a complete document: an object, a List, or something that is
// not meant for Kubernetes. The lines are those of the items, if known.
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

// item decodes one item of a List; a List inside of a List counts as its items.
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

// listType is what a List says about itself. The zero value is unknown.
type listType struct{ apiVersion, kind string }

// itemType returns the type of items that do not tell their own, empty for the
// List of mixed kinds.
func (l listType) itemType() (apiVersion, kind string) {
	if kind = strings.TrimSuffix(l.kind, "List"); kind == "" {
		return "", ""
	}
	return l.apiVersion, kind
}

// listOf returns the type of a value if it is a List: its kind ends in List and
// it has items.
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

// listTypeOf returns what the text before the items of a List says about them.
func listTypeOf(text []byte, notation form) listType {
	value, err := newParser().parse(text, notation)
	if err != nil {
		return listType{}
	}
	list, _ := listOf(value)
	return list
}

// object decodes one object. Its type comes from the List it is in if it does
// not say so itself.
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
		return unreadable(origin, thing(origin)+" has no kind; Kubernetes objects have apiVersion, kind and metadata", d.kinds.hintForMissing(apiVersion))
	case apiVersion == "" && !looksLikeObject(object):
		return entry{origin: origin, ignored: true}
	case apiVersion == "":
		return unreadable(origin, fmt.Sprintf("%s of kind %s has no apiVersion", thing(origin), kind), d.kinds.hintForVersion(kind))
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
	case problem != nil:
		problem.Origin, problem.Object = origin, id.partial()
		return entry{origin: origin, problems: []world.Problem{*problem}}
	case known == nil:
		return entry{origin: origin, ignored: true}
	case id.name == "":
		return entry{origin: origin, problems: []world.Problem{{
			Kind: world.SchemaViolation, Origin: origin, Object: kind,
			Message: "metadata.name: a name is required, as text", Hint: "the object is left out; give it a name, in quotes if it looks like a number or like yes or no",
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
		// The kinds of the table are those that have a schema.
		e.problems = append(e.problems, world.Problem{Kind: world.UnknownKind, Origin: origin, Object: id.String(), Message: err.Error()})
		return e
	}
	for _, f := range report.Unknown {
		message := "unknown field " + f.Path
		if f.Suggestion != "" {
			message += ", did you mean " + f.Suggestion + "?"
		}
		hint := "the field is left out"
		if f.LeavesEmpty && strings.HasPrefix(f.Path, "spec.sourceSelector[") {
			hint = "the field is left out, and the empty selector that is left matches everything"
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

// partial is String for an object whose name may be missing.
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

func thing(origin world.Origin) string {
	if origin.Item > 0 {
		return "item"
	}
	return "document"
}

// looksLikeObject reports whether a mapping was meant as a Kubernetes object,
// unlike the values of a chart that happen to lie in the same directory.
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
