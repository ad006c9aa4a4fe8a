package discovery

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The limits of the API for lists and their items. A longer list is not known.
const (
	maxListed     = 1024
	maxSelectors  = 256
	maxItemLength = 255
)

// configFields reads optional fields of a mesh configuration. A field of the wrong
// shape is not known, and the reason is kept for a note.
type configFields struct {
	fields map[string]any
	wrong  []string
}

// value returns a field in the first of the spellings that is set, and that
// spelling.
func (c *configFields) value(spellings ...string) (any, string) {
	return valueOf(c.fields, spellings...)
}

func valueOf(fields map[string]any, spellings ...string) (any, string) {
	for _, name := range spellings {
		if value := fields[name]; value != nil {
			return value, name
		}
	}
	return nil, spellings[0]
}

func (c *configFields) ignore(field, reason string) {
	c.wrong = append(c.wrong, fmt.Sprintf("%s is ignored: %s", field, reason))
}

// boolean returns nil if the field has the wrong shape.
func (c *configFields) boolean(unset bool, spellings ...string) *bool {
	switch value, name := c.value(spellings...); value := value.(type) {
	case nil:
		return &unset
	case bool:
		return &value
	default:
		c.ignore(name, "it is neither true nor false")
		return nil
	}
}

// texts returns a list of texts without duplicates, in their order; unset if it is
// missing, nil if it has the wrong shape. Istio takes an empty list for a missing one.
func (c *configFields) texts(unset []string, spellings ...string) []string {
	value, name := c.value(spellings...)
	list, reason := textsOf(value)
	switch {
	case reason != "":
		c.ignore(name, reason)
		return nil
	case len(list) == 0:
		return unset
	default:
		return list
	}
}

// textsOf returns the texts of a list without duplicates, or why it is none.
func textsOf(value any) (texts []string, reason string) {
	if value == nil {
		return nil, ""
	}
	list, ok := value.([]any)
	if !ok {
		return nil, "it is not a list"
	}
	if len(list) > maxListed {
		return nil, fmt.Sprintf("it has more than %d items", maxListed)
	}
	seen := map[string]bool{}
	for _, item := range list {
		text, ok := item.(string)
		switch {
		case !ok:
			return nil, "one of its items is not a string"
		case len(text) > maxItemLength:
			return nil, fmt.Sprintf("one of its items has more than %d characters", maxItemLength)
		case !seen[text]:
			seen[text] = true
			texts = append(texts, text)
		}
	}
	return texts, ""
}

// wholeNumber reads an integer as protobuf's JSON spells it, as a number or as text.
func wholeNumber(value any) (int32, bool) {
	switch value := value.(type) {
	case nil:
		return 0, true
	case float64:
		if value != math.Trunc(value) || value < math.MinInt32 || value > math.MaxInt32 {
			return 0, false
		}
		return int32(value), true
	case string:
		number, err := strconv.ParseInt(value, 10, 32)
		return int32(number), err == nil
	default:
		return 0, false
	}
}

// labelSelector reads a Kubernetes label selector, of which Istio knows one spelling.
func labelSelector(value any) (selector metav1.LabelSelector, reason string) {
	fields, ok := value.(map[string]any)
	if !ok {
		return selector, "one of its items holds no fields"
	}
	labels, ok := fields["matchLabels"].(map[string]any)
	if !ok && fields["matchLabels"] != nil {
		return selector, "matchLabels holds no fields"
	}
	for key, value := range labels {
		text, ok := value.(string)
		if !ok {
			return selector, "one of its labels is not a string"
		}
		if selector.MatchLabels == nil {
			selector.MatchLabels = map[string]string{}
		}
		selector.MatchLabels[key] = text
	}
	expressions, ok := fields["matchExpressions"].([]any)
	if !ok && fields["matchExpressions"] != nil {
		return selector, "matchExpressions is not a list"
	}
	for _, item := range expressions {
		expression, ok := item.(map[string]any)
		key, isText := expression["key"].(string)
		operator, known := expression["operator"].(string)
		values, problem := textsOf(expression["values"])
		if !ok || !isText || !known || problem != "" ||
			!slices.Contains([]string{"In", "NotIn", "Exists", "DoesNotExist"}, operator) {
			return selector, "one of its matchExpressions is not valid"
		}
		selector.MatchExpressions = append(selector.MatchExpressions, metav1.LabelSelectorRequirement{
			Key: key, Operator: metav1.LabelSelectorOperator(operator), Values: values,
		})
	}
	return selector, ""
}
