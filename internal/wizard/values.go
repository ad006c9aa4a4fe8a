package wizard

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	core "github.com/meshctl/meshctl/pkg/api/core/v1"

	"github.com/meshctl/meshctl/internal/cli/text"
)

// The settings below ask for one value of an input. question is how it is asked
// for, preset what an empty answer means while it is not set.

func duration(f *flow, label, about, question, preset string, at **core.Duration) setting {
	return setting{
		label: label, about: about,
		now: func() string { return textOf(*at) },
		ask: func() error {
			text, err := f.Input(Question{Text: question, Help: about + ", such as 150ms, 10s or 1m30s."}, cmp.Or(textOf(*at), preset), checkDuration)
			if err != nil {
				return err
			}
			*at, err = parseDuration(text)
			return err
		},
		clear: func() { *at = nil },
	}
}

// textOf returns a duration as it was written; empty for nil.
func textOf(d *core.Duration) string {
	if d == nil {
		return ""
	}
	written, err := d.MarshalJSON()
	if err != nil {
		return d.String()
	}
	text, err := strconv.Unquote(string(written))
	if err != nil {
		return d.String()
	}
	return text
}

func count[T int32 | uint32](f *flow, label, about, question, preset string, low, high T, at **T) setting {
	now := func() string {
		if *at == nil {
			return ""
		}
		return fmt.Sprint(**at)
	}
	return setting{
		label: label, about: about, now: now,
		ask: func() error {
			text, err := f.Input(Question{Text: question, Help: about + "."}, cmp.Or(now(), preset), checkRange(uint64(low), uint64(high)))
			if err != nil {
				return err
			}
			n, err := strconv.ParseUint(text, 10, 64)
			if err != nil {
				return err
			}
			value := T(n)
			*at = &value
			return nil
		},
		clear: func() { *at = nil },
	}
}

func fraction(f *flow, label, about, question, preset string, high float64, at **float64) setting {
	now := func() string {
		if *at == nil {
			return ""
		}
		return strconv.FormatFloat(**at, 'f', -1, 64)
	}
	return setting{
		label: label, about: about, now: now,
		ask: func() error {
			text, err := f.Input(Question{Text: question, Help: about + "."}, cmp.Or(now(), preset), checkFraction(high))
			if err != nil {
				return err
			}
			n, err := strconv.ParseFloat(text, 64)
			*at = &n
			return err
		},
		clear: func() { *at = nil },
	}
}

func textSetting(f *flow, label, about, question string, check func(string) error, at **string) setting {
	return setting{
		label: label, about: about,
		now: func() string { return valueOf(*at) },
		ask: func() error {
			answer, err := f.Input(Question{Text: question, Help: about + "."}, valueOf(*at), check)
			if err != nil {
				return err
			}
			*at = &answer
			return nil
		},
		clear: func() { *at = nil },
	}
}

// plainText is textSetting for fields in which an empty string is not set.
func plainText(f *flow, label, about, question string, check func(string) error, at *string) setting {
	return setting{
		label: label, about: about,
		now: func() string { return *at },
		ask: func() (err error) {
			*at, err = f.Input(Question{Text: question, Help: about + "."}, *at, check)
			return err
		},
		clear: func() { *at = "" },
	}
}

// toggle is set by being chosen.
func toggle(label, about string, at **bool) setting {
	return setting{
		label: label, about: about,
		now: func() string {
			if *at == nil || !**at {
				return ""
			}
			return "yes"
		},
		ask: func() error {
			yes := true
			*at = &yes
			return nil
		},
		clear: func() { *at = nil },
	}
}

// wordList asks for a comma-separated list.
func wordList(f *flow, label, about, question string, check func(string) error, at *[]string) setting {
	return setting{
		label: label, about: about,
		now: func() string { return strings.Join(*at, ", ") },
		ask: func() error {
			answer, err := f.Input(Question{Text: question, Help: about + ". Separate several with commas."}, strings.Join(*at, ", "), checkEach(check))
			if err != nil {
				return err
			}
			*at = splitList(answer)
			return nil
		},
		clear: func() { *at = nil },
	}
}

func enum[T ~string](f *flow, label, about, question string, choices []choice[T], at **T) setting {
	return setting{
		label: label, about: about,
		now: func() string { return string(valueOf(*at)) },
		ask: func() error {
			value, err := pick(f, Question{Text: question, Help: about + "."}, choices, valueOf(*at))
			if err != nil {
				return err
			}
			*at = &value
			return nil
		},
		clear: func() { *at = nil },
	}
}

// keepalive asks for the parts of a keepalive.
func keepalive(f *flow, about string, at **core.TCPKeepalive) setting {
	return setting{
		label: "TCP keepalive", about: about,
		now: func() string { return keepaliveText(*at) },
		ask: func() error {
			k := core.TCPKeepalive{}
			if *at != nil {
				k = **at
			}
			var probes *uint32
			if k.Probes > 0 {
				probes = &k.Probes
			}
			err := f.settings(Question{Text: "Which keepalive settings do you want to set?", Help: about + "."}, []setting{
				count(f, "Probes", "unanswered probes before the connection is closed", "Unanswered probes:", "3", 1, math.MaxInt32, &probes),
				duration(f, "Time", "idle time before the first probe", "Idle time before the first probe:", "10m", &k.Time),
				duration(f, "Interval", "the time between probes", "Time between probes:", "30s", &k.Interval),
			})
			if err != nil {
				return err
			}
			k.Probes = valueOf(probes)
			*at = &k
			return nil
		},
		clear: func() { *at = nil },
	}
}

func keepaliveText(k *core.TCPKeepalive) string {
	if k == nil {
		return ""
	}
	var parts []string
	if k.Probes > 0 {
		parts = append(parts, text.Count(int(k.Probes), "probe"))
	}
	if k.Time != nil {
		parts = append(parts, "after "+textOf(k.Time))
	}
	if k.Interval != nil {
		parts = append(parts, "every "+textOf(k.Interval))
	}
	return cmp.Or(strings.Join(parts, ", "), "system default")
}

// stringMatch asks how a text is compared and with what.
func (f *flow) stringMatch(what string, current core.StringMatch) (core.StringMatch, error) {
	m := current
	kinds := []struct {
		label, detail string
		at            **string
	}{
		{"Exact", "the whole " + what, &m.Exact},
		{"Prefix", "how the " + what + " starts", &m.Prefix},
		{"Regular expression", "RE2, for the whole " + what, &m.Regex},
		{"Suffix", "how the " + what + " ends", &m.Suffix},
	}
	at, preset := 0, ""
	options := make([]Option, len(kinds))
	for i, k := range kinds {
		options[i] = Option{Label: k.label, Detail: k.detail}
		if *k.at != nil {
			at, preset = i, **k.at
		}
	}
	at, err := f.Select(Question{Text: fmt.Sprintf("How do you want to compare the %s?", what), Help: "A prefix matches the start only; a regular expression must match the whole value."}, options, at)
	if err != nil {
		return current, err
	}
	check := checkRequired
	if kinds[at].at == &m.Regex {
		check = checkRequiredRegex
	}
	value, err := f.Input(Question{Text: fmt.Sprintf("%s (%s):", strings.ToUpper(what[:1])+what[1:], strings.ToLower(kinds[at].label)), Help: "The text to compare with."}, preset, check)
	if err != nil {
		return current, err
	}
	ignore := m.IgnoreCase
	m = core.StringMatch{}
	*kinds[at].at = &value
	if m.Exact != nil || m.Prefix != nil {
		// Only these two can ignore case (D10).
		m.IgnoreCase, err = f.Confirm(Question{Text: "Ignore case?", Help: "Yes treats /Reviews and /reviews as equal."}, ignore)
	}
	return m, err
}

func stringMatchText(m core.StringMatch) string {
	text := ""
	switch {
	case m.Exact != nil:
		text = *m.Exact
	case m.Prefix != nil:
		text = *m.Prefix + "*"
	case m.Suffix != nil:
		text = "*" + *m.Suffix
	case m.Regex != nil:
		text = "regex " + *m.Regex
	}
	if m.IgnoreCase {
		text += " in any case"
	}
	return text
}

func valueOf[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// labelsText writes labels as k=v, sorted.
func labelsText(labels map[string]string) string {
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		parts = append(parts, key+"="+labels[key])
	}
	return strings.Join(parts, ", ")
}
