package echo

import (
	"fmt"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"time"
)

// orders are what a request tells the server to do.
type orders struct {
	delay time.Duration
	// status is 0 when nothing is said.
	status int
	// grpcStatus is 0 (OK) when nothing is said.
	grpcStatus int
	close      bool
	respond    []header
}

type header struct{ name, value string }

// readOrders reads the orders for one arrival (from 1 on) of an ID.
func readOrders(headers map[string][]string, arrival int) (orders, error) {
	arrival = max(arrival, 1)
	var o orders
	var err error
	if text := first(headers, HeaderDelay); text != "" {
		if o.delay, err = time.ParseDuration(text); err != nil {
			return o, fmt.Errorf("invalid %s: %w", HeaderDelay, err)
		}
	}
	if o.status, err = nth(headers, HeaderStatus, arrival, 200, 599); err != nil {
		return o, err
	}
	if o.grpcStatus, err = nth(headers, HeaderGRPCStatus, arrival, 0, 16); err != nil {
		return o, err
	}
	if text := first(headers, HeaderClose); text == "always" {
		o.close = true
	} else if text != "" {
		arrivals, err := numbers(HeaderClose, text, 1, 1_000_000)
		if err != nil {
			return o, err
		}
		o.close = slices.Contains(arrivals, arrival)
	}
	if text := first(headers, HeaderRespond); text != "" {
		for pair := range strings.SplitSeq(text, ",") {
			name, value, found := strings.Cut(strings.TrimSpace(pair), "=")
			if !found || textproto.TrimString(name) != name || name == "" {
				return o, fmt.Errorf("invalid %s: %q is not name=value", HeaderRespond, pair)
			}
			o.respond = append(o.respond, header{name, value})
		}
	}
	return o, nil
}

// nth reads the element of a list for an arrival; the last one is repeated.
func nth(headers map[string][]string, name string, arrival, least, most int) (int, error) {
	text := first(headers, name)
	if text == "" {
		return 0, nil
	}
	list, err := numbers(name, text, least, most)
	if err != nil {
		return 0, err
	}
	return list[min(arrival, len(list))-1], nil
}

func numbers(name, text string, least, most int) ([]int, error) {
	var list []int
	for element := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(element))
		if err != nil || n < least || n > most {
			return nil, fmt.Errorf("invalid %s: %q is not a number from %d to %d", name, element, least, most)
		}
		list = append(list, n)
	}
	return list, nil
}

func first(headers map[string][]string, name string) string {
	if values := headers[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}
