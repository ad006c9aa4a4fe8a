package render

import (
	"encoding/json"
	"errors"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"
	"time"

	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	"github.com/meshctl/meshctl/pkg/api/spelling"
)

func readBool(p piece, _ Names) (bool, error) {
	switch strings.ToLower(p.text) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	default:
		return false, p.errorf("%q is not true or false", p.text)
	}
}

func writeBool(value bool) string { return strconv.FormatBool(value) }

// readEnum returns the accepted value that the text means; case is ignored.
func readEnum(p piece, values []string) (string, error) {
	for _, v := range values {
		if strings.EqualFold(v, p.text) {
			return v, nil
		}
	}
	if near := spelling.Nearest(p.text, values); near != "" {
		return "", p.errorf("%q must be one of: %s (did you mean %s?)", p.text, strings.Join(values, ", "), near)
	}
	return "", p.errorf("%q must be one of: %s", p.text, strings.Join(values, ", "))
}

// readText accepts any text but an empty one.
func readText(what string) read[string] {
	return func(p piece, _ Names) (string, error) { return p.text, checkPrintable(p, what) }
}

func writeText(text string) string { return text }

// readNumber accepts whole numbers of a range.
func readNumber[T int32 | uint32](low, high int64) read[T] {
	return func(p piece, _ Names) (T, error) {
		for i, r := range p.text {
			if r < '0' || r > '9' {
				return 0, p.errorAt(i, "%q is not a whole number", p.text)
			}
		}
		n, err := strconv.ParseInt(p.text, 10, 64)
		if err != nil || n < low || n > high {
			return 0, p.errorf("must be a number from %d to %d", low, high)
		}
		return T(n), nil
	}
}

// The largest values of the API's number fields.
const (
	maxInt32  = 1<<31 - 1
	maxUint32 = 1<<32 - 1
	maxPort   = 65535
)

func writeNumber[T int32 | uint32](value T) string { return strconv.FormatInt(int64(value), 10) }

func readPort(p piece, names Names) (uint32, error) { return readNumber[uint32](1, maxPort)(p, names) }

// readDecimal accepts a number from 0 to a limit, with decimals.
func readDecimal(limit float64) read[float64] {
	return func(p piece, _ Names) (float64, error) {
		for i, r := range p.text {
			if (r < '0' || r > '9') && r != '.' {
				return 0, p.errorAt(i, "%q is not a number", p.text)
			}
		}
		value, err := strconv.ParseFloat(p.text, 64)
		if err != nil || value < 0 || value > limit {
			return 0, p.errorf("must be a number from 0 to %v", limit)
		}
		return value, nil
	}
}

func writeDecimal(value float64) string { return strconv.FormatFloat(value, 'f', -1, 64) }

// durationForm is the form of durations that the CRDs accept.
const durationForm = `^([0-9]{1,9}(\.[0-9]{1,9})?(ns|us|µs|ms|s)|[0-9]{1,7}(\.[0-9]{1,9})?m|[0-9]{1,5}(\.[0-9]{1,9})?h){1,4}$`

// readDuration accepts what the CRDs do: at least 1ms, in Go's form. The text
// is kept.
func readDuration(p piece, _ Names) (core.Duration, error) {
	var d core.Duration
	if p.text == "" {
		return d, p.errorf("a duration is missing; write for example 10s or 150ms")
	}
	value, err := time.ParseDuration(p.text)
	switch {
	case err != nil && isDigits(p.text):
		return d, p.errorAt(len(p.text), "a duration needs a unit; write for example %ss or %sms", p.text, p.text)
	case err != nil:
		return d, p.errorf("%q is not a duration; write for example 10s, 150ms or 1m30s", p.text)
	case value < time.Millisecond:
		return d, p.errorf("a duration must be at least 1ms")
	case len(p.text) > 64 || !regexp.MustCompile(durationForm).MatchString(p.text):
		return d, p.errorf("%q is not a form of duration that the API accepts; write for example 10s, 150ms or 1m30s", p.text)
	}
	text, err := json.Marshal(p.text)
	if err == nil {
		err = d.UnmarshalJSON(text)
	}
	return d, err
}

func isDigits(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r < '0' || r > '9' })
}

// writeDuration returns the text that the duration was read from.
func writeDuration(d core.Duration) string {
	encoded, err := d.MarshalJSON()
	if err != nil {
		return d.String()
	}
	var text string
	if err := json.Unmarshal(encoded, &text); err != nil {
		return d.String()
	}
	return text
}

// readDurationTerm reads a duration into a pointer.
func readDurationTerm(at **core.Duration, p piece, names Names) error {
	d, err := readDuration(p, names)
	if err == nil {
		*at = &d
	}
	return err
}

// checkRegex refuses what is not a regular expression in the syntax of RE2,
// which Go and Envoy share.
func checkRegex(p piece) error {
	if p.text == "" {
		return p.errorf("a regular expression is missing")
	}
	_, err := regexp.Compile(p.text)
	var broken *syntax.Error
	if errors.As(err, &broken) {
		return p.errorAt(max(0, strings.Index(p.text, broken.Expr)), "not a regular expression: %s", broken.Code)
	}
	if err != nil {
		return p.errorf("not a regular expression: %v", err)
	}
	return nil
}

// readKeepalive reads terms such as probes=3,time=2h,interval=75s.
func readKeepalive(p piece, names Names) (core.TCPKeepalive, error) {
	return parseTerms(p, names, keepaliveKeys())
}

func keepaliveKeys() []termKey[core.TCPKeepalive] {
	return []termKey[core.TCPKeepalive]{
		{key: "probes", value: "NUMBER", set: func(k *core.TCPKeepalive, t term, names Names) (err error) {
			k.Probes, err = readNumber[uint32](0, maxUint32)(t.value, names)
			return err
		}},
		{key: "time", value: "DURATION", set: func(k *core.TCPKeepalive, t term, names Names) error {
			return readDurationTerm(&k.Time, t.value, names)
		}},
		{key: "interval", value: "DURATION", set: func(k *core.TCPKeepalive, t term, names Names) error {
			return readDurationTerm(&k.Interval, t.value, names)
		}},
	}
}

func writeKeepalive(k core.TCPKeepalive) string {
	var w termWriter
	if k.Probes > 0 || (k.Time == nil && k.Interval == nil) {
		w.pair("probes", writeNumber(k.Probes))
	}
	if k.Time != nil {
		w.pair("time", writeDuration(*k.Time))
	}
	if k.Interval != nil {
		w.pair("interval", writeDuration(*k.Interval))
	}
	return w.String()
}

// readStringMatch reads HOW:TEXT, for example exact:https://example.com.
func readStringMatch(p piece, _ Names) (core.StringMatch, error) {
	var m core.StringMatch
	how, text, found := p.cut(":")
	if !found {
		return m, p.errorf("say how to compare, for example %s", "exact:"+p.text)
	}
	plain, ignoreCase := strings.CutSuffix(how.text, ignoreCaseSuffix)
	switch {
	case how.text == "exact", plain == "exact":
		m.Exact = &text.text
	case how.text == "prefix", plain == "prefix":
		m.Prefix = &text.text
	case how.text == "regex":
		m.Regex = &text.text
		if err := checkRegex(text); err != nil {
			return m, err
		}
	case how.text == "suffix":
		m.Suffix = &text.text
	case ignoreCase && (plain == "regex" || plain == "suffix"):
		return m, how.errorAt(len(plain), "only exact and prefix can ignore case") // D10
	default:
		return m, how.errorf("%q is no way to compare; write exact:, prefix:, suffix:, regex:, exact-ignore-case: or prefix-ignore-case:", how.text)
	}
	m.IgnoreCase = ignoreCase
	return m, checkPrintable(text, "the text to compare with")
}

const ignoreCaseSuffix = "-ignore-case"

func writeStringMatch(m core.StringMatch) string {
	how, text := stringMatchParts(m)
	if m.IgnoreCase {
		how += ignoreCaseSuffix
	}
	return how + ":" + text
}

// stringMatchParts returns how a match compares and with which text.
func stringMatchParts(m core.StringMatch) (how, text string) {
	switch {
	case m.Exact != nil:
		return "exact", *m.Exact
	case m.Prefix != nil:
		return "prefix", *m.Prefix
	case m.Regex != nil:
		return "regex", *m.Regex
	case m.Suffix != nil:
		return "suffix", *m.Suffix
	default:
		return "", ""
	}
}
