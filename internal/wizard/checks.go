package wizard

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/meshctl/meshctl/internal/render"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

// noValue is what people type for an optional value that they do not want.
const noValue = "none"

// checkObject accepts NAME.NAMESPACE.
func checkObject(text string) error {
	ref := parseObject(text)
	if ref.Namespace == "" {
		return errors.New("must be NAME.NAMESPACE")
	}
	return errors.Join(render.CheckName(ref.Name), render.CheckNamespace(ref.Namespace))
}

func parseObject(text string) core.ObjectRef {
	i := strings.LastIndexByte(text, '.')
	if i < 0 {
		return core.ObjectRef{Name: text}
	}
	return core.ObjectRef{Name: text[:i], Namespace: text[i+1:]}
}

func checkHost(text string) error {
	if _, err := netip.ParseAddr(text); err == nil {
		return nil
	}
	if len(validation.IsDNS1123Subdomain(text)) > 0 {
		return errors.New("must be an IP address or a DNS name, without a port")
	}
	return nil
}

func checkRegex(text string) error {
	if _, err := regexp.Compile(text); err != nil {
		return fmt.Errorf("not a regular expression (RE2): %w", err)
	}
	return nil
}

func checkRequiredRegex(text string) error {
	if err := checkRequired(text); err != nil {
		return err
	}
	return checkRegex(text)
}

func checkRequired(text string) error {
	if text == "" {
		return errors.New("must not be empty")
	}
	return nil
}

// checkHeaderName accepts what HTTP allows.
func checkHeaderName(text string) error {
	if len(validation.IsHTTPHeaderName(text)) > 0 {
		return errors.New("must be an HTTP header name: letters, digits and '-'")
	}
	return nil
}

// checkHeader accepts NAME=VALUE.
func checkHeader(text string) error {
	name, value, found := strings.Cut(text, "=")
	if !found || value == "" {
		return errors.New("must be NAME=VALUE")
	}
	return checkHeaderName(name)
}

// checkPath accepts a path with '*' at either end (D9).
func checkPath(text string) error {
	inner := strings.TrimSuffix(strings.TrimPrefix(text, "*"), "*")
	switch {
	case strings.Contains(inner, "*"):
		return errors.New("'*' is a wildcard only at the start or at the end of a path")
	case !strings.HasPrefix(text, "/") && !strings.HasPrefix(text, "*"):
		return errors.New("must start with '/' or '*'")
	}
	return nil
}

func checkAddress(text string) error {
	if _, err := netip.ParseAddr(text); err == nil {
		return nil
	}
	if _, err := netip.ParsePrefix(text); err != nil {
		return fmt.Errorf("%q is not an IP address or a block such as 10.0.0.0/8", text)
	}
	return nil
}

func checkPrincipal(text string) error {
	if strings.ContainsAny(text, " \t") {
		return fmt.Errorf("%q contains a space: must be ISSUER/SUBJECT", text)
	}
	return nil
}

// checkDuration accepts what the API does: at least a millisecond, without sign.
func checkDuration(text string) error {
	d, err := parseDuration(text)
	if err != nil {
		return err
	}
	if d.Std() < time.Millisecond || strings.ContainsAny(text, "+-") {
		return errors.New("must be at least 1ms")
	}
	return nil
}

func parseDuration(text string) (*core.Duration, error) {
	d := new(core.Duration)
	return d, json.Unmarshal([]byte(strconv.Quote(text)), d)
}

// checkRange returns a check for whole numbers.
func checkRange(low, high uint64) func(string) error {
	return func(text string) error {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil || n < low || n > high {
			return fmt.Errorf("must be a whole number from %d to %d", low, high)
		}
		return nil
	}
}

func checkPort(text string) error { return checkRange(1, 65535)(text) }

// checkFraction returns a check for numbers from 0 to high.
func checkFraction(high float64) func(string) error {
	return func(text string) error {
		n, err := strconv.ParseFloat(text, 64)
		if err != nil || !(n >= 0 && n <= high) {
			return fmt.Errorf("must be a number from 0 to %v", high)
		}
		return nil
	}
}

// checkEach applies a check to the parts of a comma-separated list.
func checkEach(check func(string) error) func(string) error {
	return func(text string) error {
		parts := splitList(text)
		if len(parts) == 0 {
			return errors.New("must not be empty")
		}
		for _, part := range parts {
			if err := check(part); err != nil {
				return err
			}
		}
		return nil
	}
}

// splitList returns the parts of a comma-separated list, each once.
func splitList(text string) []string {
	var parts []string
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" && !slices.Contains(parts, part) {
			parts = append(parts, part)
		}
	}
	return parts
}

// orNone returns a check that accepts noValue too.
func orNone(check func(string) error) func(string) error {
	return func(text string) error {
		if text == noValue {
			return nil
		}
		return check(text)
	}
}
