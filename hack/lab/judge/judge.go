package judge

import (
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/hack/lab/client"
	"github.com/meshctl/meshctl/hack/lab/echo"
)

// The statuses of gRPC that proxies answer with.
const (
	grpcUnknown          = 2
	grpcDeadlineExceeded = 4
	grpcPermissionDenied = 7
	grpcUnimplemented    = 12
	grpcInternal         = 13
	grpcUnavailable      = 14
	grpcUnauthenticated  = 16
)

// Observation is what became of a question.
type Observation struct {
	// Outcomes has one element for each repetition.
	Outcomes []client.Outcome
	// Seen is what backends saw of them, copies and further attempts included.
	Seen []echo.Seen
}

// Disagreement is one respect in which the mesh did something else than the
// product says.
type Disagreement struct {
	Question Question
	// Aspect is what differs: outcome, backend, port, identity, headers, weights,
	// attempts, duration, mirror, cors.
	Aspect    string
	Said, Was string
	Observed  Observation
	// Flags are the proxy's response flags.
	Flags string
	// Known is the ID of the entry that explains it.
	Known string
	// Evidence is what the lab added: objects of Istio, configuration of proxies.
	Evidence string
}

// class is what became of one request.
type class string

const (
	classAnswered class = "answered by a backend"
	classDenied   class = "denied"
	classAborted  class = "aborted"
	classTimeout  class = "timed out"
	classLocal    class = "answered by the caller's proxy"
	classFailed   class = "failed"
)

// Judge holds what happened against what the product says. Where the product
// says that it does not know, nothing can disagree.
func Judge(q Question, observed Observation) []Disagreement {
	j := &judgement{question: q, expect: q.Expect, observed: observed, orders: ordersOf(q.Request)}
	if q.Expect.Verdict == Unknown && len(q.Expect.Shares) == 1 && q.Expect.Shares[0].To == q.To {
		return nil
	}
	for _, o := range observed.Outcomes {
		j.classes = append(j.classes, j.classify(o))
	}
	j.outcomes()
	j.backends()
	j.shares()
	j.headers()
	j.durations()
	j.arrivals()
	j.copies()
	return j.found
}

type judgement struct {
	question Question
	expect   Expectation
	observed Observation
	orders   orders
	classes  []class
	found    []Disagreement
}

// disagree notes a disagreement; what repetitions have in common is said once.
func (j *judgement) disagree(aspect, said, was string) {
	if slices.ContainsFunc(j.found, func(d Disagreement) bool { return d.Aspect == aspect && d.Said == said && d.Was == was }) {
		return
	}
	j.found = append(j.found, Disagreement{Question: j.question, Aspect: aspect, Said: said, Was: was, Observed: j.observed})
}

func (j *judgement) isGRPC() bool { return j.question.Request.Protocol == client.GRPC }

// classify says what one outcome is, by itself.
func (j *judgement) classify(o client.Outcome) class {
	if o.Seen != nil {
		if j.isGRPC() && o.GRPCStatus < 0 { // without a status, the call fails for a client of gRPC
			return classFailed
		}
		return classAnswered
	}
	if j.question.Request.Protocol == client.TCP {
		if o.Failure == client.FailedClosed || o.Failure == client.FailedReset {
			return classDenied
		}
		return classFailed
	}
	if j.isGRPC() {
		switch {
		case o.Failure != client.Answered:
			return classFailed
		case o.GRPCStatus == grpcPermissionDenied:
			return classDenied
		case j.expect.Abort != nil && o.GRPCStatus == grpcOf(j.expect.Abort.Status):
			return classAborted
		case o.GRPCStatus == grpcDeadlineExceeded || o.GRPCStatus == grpcUnavailable && j.late():
			return classTimeout
		}
		return classFailed
	}
	switch {
	case o.Failure != client.Answered:
		return classFailed
	case o.Status == 403 && strings.Contains(o.Body, "RBAC"):
		return classDenied
	case j.expect.Abort != nil && o.Status == j.expect.Abort.Status && (o.Status != 503 || strings.Contains(o.Body, "fault")):
		return classAborted
	case o.Status == 504:
		return classTimeout
	case j.question.Request.Method == http.MethodOptions && o.Status == 200 && o.Headers["access-control-allow-origin"] != "":
		return classLocal
	default:
		return classFailed
	}
}

// grpcOf is what proxies make of a status of HTTP for a caller that speaks gRPC.
func grpcOf(status int) int {
	switch status {
	case 400:
		return grpcInternal
	case 401:
		return grpcUnauthenticated
	case 403:
		return grpcPermissionDenied
	case 404:
		return grpcUnimplemented
	case 429, 502, 503, 504:
		return grpcUnavailable
	default:
		return grpcUnknown
	}
}

// late says whether backends take longer than they may.
func (j *judgement) late() bool {
	limit := j.expect.limit()
	return limit > 0 && j.orders.delay > limit
}

// interval is a probability that is known within limits.
type interval struct{ low, high float64 }

func (i *interval) add(p float64, certain bool) {
	i.high += p
	if certain {
		i.low += p
	}
}

func (i interval) rounded() interval {
	const exact = 1e9
	return interval{math.Round(i.low*exact) / exact, math.Round(i.high*exact) / exact}
}

// chances says how likely each class is.
func (j *judgement) chances() map[class]interval {
	all := map[class]*interval{
		classAnswered: {}, classDenied: {}, classAborted: {}, classTimeout: {}, classLocal: {}, classFailed: {},
	}
	rest := 1.0
	if a := j.expect.Abort; a != nil {
		all[classAborted].add(a.Percent/100, true)
		rest -= a.Percent / 100
	}
	if j.expect.Preflight {
		all[classLocal].add(rest, true)
		rest = 0
	}
	reached := classAnswered
	if j.late() {
		reached = classTimeout
	}
	for _, s := range j.expect.Shares {
		p := rest * s.Weight / 100
		verdicts := map[Verdict]bool{}
		for _, b := range s.Backends {
			verdicts[b.Verdict] = true
		}
		if len(verdicts) == 0 {
			verdicts[s.Verdict] = true
		}
		certain := len(verdicts) == 1
		for v := range verdicts {
			switch v {
			case Allowed:
				all[reached].add(p, certain)
			case Denied:
				all[classDenied].add(p, certain)
			case Unreachable:
				all[classFailed].add(p, certain)
				if j.question.Request.Protocol == client.TCP { // looks the same
					all[classDenied].add(p, false)
					all[classFailed].low = 0
				}
			case Unknown, Conditional:
				for _, c := range []class{reached, classDenied, classFailed} {
					all[c].add(p, false)
				}
			}
		}
	}
	result := map[class]interval{}
	for c, i := range all {
		result[c] = i.rounded()
	}
	return result
}

// outcomes counts what became of the requests.
func (j *judgement) outcomes() {
	n := len(j.classes)
	if n == 0 {
		j.disagree("outcome", j.expect.String(), "the question was not asked")
		return
	}
	chances := j.chances()
	for _, c := range slices.Sorted(maps.Keys(chances)) {
		count := 0
		for _, is := range j.classes {
			count += boolInt(is == c)
		}
		least, most := bounds(n, chances[c].low, chances[c].high)
		if count >= least && count <= most {
			continue
		}
		if count < least && n == 1 {
			continue // what it was instead is reported
		}
		j.disagree("outcome", fmt.Sprintf("%s: %s (%s)", c, between(least, most, n), j.expect), fmt.Sprintf("%s: %d of %d; %s", c, count, n, j.outcomeTexts()))
	}
	for i, o := range j.observed.Outcomes {
		if j.classes[i] == classAnswered {
			j.status(o)
		}
	}
}

func between(least, most, n int) string {
	if least == most {
		return fmt.Sprintf("%d of %d", least, n)
	}
	return fmt.Sprintf("%d to %d of %d", least, most, n)
}

// outcomeTexts lists the different outcomes with their number.
func (j *judgement) outcomeTexts() string {
	counts := map[string]int{}
	for i, o := range j.observed.Outcomes {
		counts[describe(j.classes[i], o)]++
	}
	var parts []string
	for _, text := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%d times %s", counts[text], text))
	}
	return strings.Join(parts, "; ")
}

func describe(c class, o client.Outcome) string {
	text := string(c)
	if o.Seen != nil {
		text += fmt.Sprintf(" %s.%s.%s:%d", o.Seen.Workload, o.Seen.Namespace, o.Seen.Cluster, o.Seen.Port)
	}
	if o.Status != 0 {
		text += fmt.Sprintf(", status %d", o.Status)
	}
	if o.GRPCStatus > 0 {
		text += fmt.Sprintf(", gRPC status %d", o.GRPCStatus)
	}
	if o.Failure != client.Answered {
		text += fmt.Sprintf(", %s (%s)", o.Failure, o.Err)
	}
	if o.Seen == nil && o.Body != "" {
		text += fmt.Sprintf(", %q", firstLine(o.Body))
	}
	return text
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line[:min(len(line), 120)]
}

// status holds that an answer has the status that the backend was told.
func (j *judgement) status(o client.Outcome) {
	switch j.question.Request.Protocol {
	case client.TCP:
	case client.GRPC:
		if o.GRPCStatus != j.orders.grpcStatus {
			j.disagree("outcome", fmt.Sprintf("gRPC status %d of the backend", j.orders.grpcStatus), fmt.Sprintf("gRPC status %d", o.GRPCStatus))
		}
	case client.HTTP1, client.HTTP2:
		want := j.orders.status
		if want == 0 {
			want = 200
		}
		if o.Status != want {
			j.disagree("outcome", fmt.Sprintf("status %d of the backend", want), fmt.Sprintf("status %d", o.Status))
		}
	}
}
