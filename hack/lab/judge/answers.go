package judge

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/meshctl/meshctl/hack/lab/client"
	"github.com/meshctl/meshctl/hack/lab/echo"
)

// backends holds each answer against those who may have given it.
func (j *judgement) backends() {
	reported := map[string]bool{}
	for _, o := range j.observed.Outcomes {
		if o.Seen == nil {
			continue
		}
		was := refOf(*o.Seen)
		key := fmt.Sprint(was, o.Seen.Port, o.Seen.Peer)
		if reported[key] {
			continue
		}
		reported[key] = true
		ports := map[uint16]bool{}
		var names []string
		for _, s := range j.expect.Shares {
			for _, b := range s.Backends {
				if s.Weight > 0 && b.Workload == was {
					ports[b.Port] = true
				}
				names = append(names, b.Workload.String())
			}
		}
		switch {
		case len(ports) == 0:
			j.disagree("backend", "one of "+strings.Join(names, ", "), was.String())
		case !ports[o.Seen.Port]:
			j.disagree("port", fmt.Sprintf("port %v of %s", slices.Sorted(maps.Keys(ports)), was), fmt.Sprintf("port %d", o.Seen.Port))
		}
		if !j.expect.IdentityUnknown && o.Seen.Peer != j.expect.Identity {
			j.disagree("identity", fmt.Sprintf("%q", j.expect.Identity), fmt.Sprintf("%q", o.Seen.Peer))
		}
	}
}

func refOf(s echo.Seen) WorkloadRef { return Ref{s.Workload, s.Namespace, s.Cluster} }

// shares counts who answered. A workload may belong to several shares, so every
// share gets at least what only it can explain.
func (j *judgement) shares() {
	if len(j.expect.Shares) < 2 || j.late() {
		return
	}
	rest := 1.0
	if j.expect.Abort != nil {
		rest -= j.expect.Abort.Percent / 100
	}
	for _, s := range j.expect.Shares {
		if s.Verdict != Allowed {
			continue
		}
		within := func(b Backend) bool {
			return slices.ContainsFunc(s.Backends, func(other Backend) bool { return other.Workload == b.Workload })
		}
		var chance interval
		for _, other := range j.expect.Shares {
			if other.Verdict == Denied || other.Verdict == Unreachable || !slices.ContainsFunc(other.Backends, within) {
				continue
			}
			chance.add(rest*other.Weight/100, other.Verdict == Allowed && !slices.ContainsFunc(other.Backends, func(b Backend) bool { return !within(b) }))
		}
		chance = chance.rounded()
		count := 0
		for _, o := range j.observed.Outcomes {
			count += boolInt(o.Seen != nil && within(Backend{Workload: refOf(*o.Seen)}))
		}
		n := len(j.observed.Outcomes)
		if least, most := bounds(n, chance.low, chance.high); count < least || count > most {
			j.disagree("weights", fmt.Sprintf("%s by %s %v (weight %v)", between(least, most, n), s.To, s.Subset, s.Weight),
				fmt.Sprintf("%d of %d; %s", count, n, j.outcomeTexts()))
		}
	}
}

// headers holds what backends and callers see of the headers.
func (j *judgement) headers() {
	if j.question.Request.Protocol == client.TCP {
		return
	}
	reported := map[string]bool{}
	report := func(aspect, said, was string) {
		if key := aspect + said; !reported[key] {
			reported[key] = true
			j.disagree(aspect, said, was)
		}
	}
	for i, o := range j.observed.Outcomes {
		if o.Seen != nil {
			j.requestHeaders(*o.Seen, report)
			j.responseHeaders(o, report)
		}
		if c := j.classes[i]; c == classAnswered || c == classLocal {
			if was := o.Headers["access-control-allow-origin"]; was != j.expect.AllowOrigin {
				report("cors", fmt.Sprintf("access-control-allow-origin %q", j.expect.AllowOrigin), fmt.Sprintf("%q", was))
			}
		}
	}
}

func (j *judgement) requestHeaders(seen echo.Seen, report func(aspect, said, was string)) {
	changes := []HeaderChanges{j.expect.RequestHeaders}
	if len(j.expect.Shares) == 1 { // of several shares it is not known which one answered
		h := j.expect.Shares[0].Headers
		changes = append(changes, HeaderChanges{Append: h.AppendRequestHeaders, Remove: h.RemoveRequestHeaders})
	}
	for _, change := range changes {
		for name, value := range change.Append {
			name = strings.ToLower(name)
			if name == "host" || strings.HasPrefix(name, ":") || strings.Contains(value, "%") {
				continue
			}
			if !slices.Contains(splitValues(seen.Headers[name]), value) {
				report("headers", fmt.Sprintf("the backend gets %s: %s", name, value), fmt.Sprintf("%q", seen.Headers[name]))
			}
		}
		for _, name := range change.Remove {
			name = strings.ToLower(name)
			if values := seen.Headers[name]; len(values) > 0 && change.Append[name] == "" {
				report("headers", "the backend gets no "+name, fmt.Sprintf("%q", values))
			}
		}
	}
	// Nobody else may change what was sent.
	for name, value := range j.question.Request.Headers {
		touched := slices.ContainsFunc(changes, func(c HeaderChanges) bool { return c.touches(name) })
		if !touched && !j.touchedByShare(name) && !slices.Contains(splitValues(seen.Headers[name]), value) && !slices.Contains(seen.Headers[name], value) {
			report("headers", fmt.Sprintf("the backend gets %s: %s", name, value), fmt.Sprintf("%q", seen.Headers[name]))
		}
	}
}

func (j *judgement) touchedByShare(name string) bool {
	return slices.ContainsFunc(j.expect.Shares, func(s Share) bool {
		return HeaderChanges{Append: s.Headers.AppendRequestHeaders, Remove: s.Headers.RemoveRequestHeaders}.touches(name)
	})
}

func (c HeaderChanges) touches(name string) bool {
	is := func(other string) bool { return strings.EqualFold(other, name) }
	return slices.ContainsFunc(c.Remove, is) || slices.ContainsFunc(slices.Collect(maps.Keys(c.Append)), is)
}

func splitValues(values []string) []string {
	var result []string
	for _, value := range values {
		for part := range strings.SplitSeq(value, ",") {
			result = append(result, strings.TrimSpace(part))
		}
	}
	return result
}

func (j *judgement) responseHeaders(o client.Outcome, report func(aspect, said, was string)) {
	for name, value := range j.expect.ResponseHeaders.Append {
		name = strings.ToLower(name)
		if !strings.Contains(value, "%") && !slices.Contains(splitValues([]string{o.Headers[name]}), value) {
			report("headers", fmt.Sprintf("the caller gets %s: %s", name, value), fmt.Sprintf("%q", o.Headers[name]))
		}
	}
	for _, name := range j.expect.ResponseHeaders.Remove {
		name = strings.ToLower(name)
		if name == "server" { // the caller's own proxy writes it after everything else
			continue
		}
		if value, found := o.Headers[name]; found && j.expect.ResponseHeaders.Append[name] == "" {
			report("headers", "the caller gets no "+name, fmt.Sprintf("%q", value))
		}
	}
}

// durations holds how long requests took. A busy machine makes every answer
// late, so an answer is only ever too early, or too late by far.
func (j *judgement) durations() {
	const tolerance = 0.95
	if d := j.expect.Delay; d != nil {
		early := 0
		for _, o := range j.observed.Outcomes {
			early += boolInt(o.Failure == client.Answered && o.Duration < time.Duration(float64(d.Duration)*tolerance))
		}
		n := len(j.observed.Outcomes)
		p := interval{1 - d.Percent/100, 1 - d.Percent/100}.rounded()
		if _, most := bounds(n, p.low, p.high); early > most {
			j.disagree("duration", fmt.Sprintf("at most %d of %d answers before %s", most, n, d.Duration), fmt.Sprintf("%d", early))
		}
		if d.Percent == 0 && n > 0 && early == 0 && j.orders.delay == 0 {
			j.disagree("duration", "an answer before "+d.Duration.String(), j.outcomeTexts())
		}
	}
	if !j.late() {
		return
	}
	for i, o := range j.observed.Outcomes {
		least := time.Duration(float64(j.expect.limit()) * tolerance)
		if j.classes[i] == classTimeout && (o.Duration < least || o.Duration > j.expect.limit()+client.DefaultTimeout/2+delayOf(j.expect)) {
			j.disagree("duration", "an end after "+j.expect.limit().String(), o.Duration.String())
		}
	}
}

func delayOf(e Expectation) time.Duration {
	if e.Delay == nil {
		return 0
	}
	return e.Delay.Duration
}

// arrivals counts how often backends got the request, without copies.
func (j *judgement) arrivals() {
	count := 0
	for _, s := range j.observed.Seen {
		count += boolInt(!isCopy(s))
	}
	reached := 0
	for _, c := range j.classes {
		reached += boolInt(c == classAnswered || c == classTimeout)
	}
	least, most := reached, reached
	if j.isGRPC() && (j.orders.grpcStatus == grpcUnavailable || j.orders.grpcStatus == 1) {
		if j.expect.Retries == nil {
			return // the mesh's default, about which the product says nothing
		}
		least, most = reached*(1+j.expect.Retries.Attempts), reached*(1+j.expect.Retries.Attempts)
		if j.expect.Timeout > 0 && j.expect.Timeout < time.Second { // may end before the last attempt
			least = reached
		}
	}
	if count < least || count > most {
		j.disagree("attempts", fmt.Sprintf("backends get %s", between(least, most, most)), fmt.Sprintf("they got %d", count))
	}
}

// isCopy tells copies of a mirror by the name that proxies give them.
func isCopy(s echo.Seen) bool {
	host, _, _ := strings.Cut(s.Host, ":")
	return strings.HasSuffix(host, "-shadow")
}

// copies counts what the mirror got.
func (j *judgement) copies() {
	var copies []echo.Seen
	for _, s := range j.observed.Seen {
		if isCopy(s) {
			copies = append(copies, s)
		}
	}
	m := j.expect.Mirror
	if m == nil {
		if len(copies) > 0 {
			j.disagree("mirror", "no copies", fmt.Sprintf("%s got %d", refOf(copies[0]), len(copies)))
		}
		return
	}
	if m.Verdict == Unknown {
		return
	}
	n := 0 // requests that are routed at all
	for _, c := range j.classes {
		n += boolInt(c != classAborted && c != classLocal)
	}
	var chance interval
	for _, b := range m.Backends {
		if b.Verdict == Allowed {
			chance = interval{m.Percent / 100, m.Percent / 100}
		}
	}
	if slices.ContainsFunc(m.Backends, func(b Backend) bool { return b.Verdict != Allowed }) {
		chance.low = 0
	}
	chance = chance.rounded()
	if least, most := bounds(n, chance.low, chance.high); len(copies) < least || len(copies) > most {
		j.disagree("mirror", fmt.Sprintf("%s copied to %s", between(least, most, n), m.To), fmt.Sprintf("%d copies", len(copies)))
	}
	for _, s := range copies {
		if was := refOf(s); !slices.ContainsFunc(m.Backends, func(b Backend) bool { return b.Workload == was && b.Port == s.Port }) {
			j.disagree("mirror", "copies to "+m.To.String(), fmt.Sprintf("a copy at port %d of %s", s.Port, was))
			break
		}
	}
}
