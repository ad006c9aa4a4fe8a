package judge

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"

	"github.com/meshctl/meshctl/hack/lab/client"
	"github.com/meshctl/meshctl/hack/lab/echo"
)

// How often questions about chance are asked: often enough to notice that
// something rare never happens, within these limits.
const (
	repeatLeast = 40
	repeatMost  = 160
	// repeatSlow is for questions whose answers are held back.
	repeatSlow = 10
	// repeatSubset is for requests that all go to one subset: those of a mesh that
	// knows nothing of it would get there by chance, too.
	repeatSubset = 16
)

// candidates collects every question that could be asked about a world.
type candidates struct {
	oracle
	world     string
	questions []Question
	// seen keeps the same request from being asked twice.
	seen map[string]bool
	// failed has the kinds of failures that pods with outlier detection have had to
	// answer a caller with.
	failed map[string]bool
}

// outbound adds the questions about one workload and one Service.
func (c *candidates) outbound(caller Description, about *Outbound) error {
	s := c.facts.services[about.Destination]
	w := c.facts.workloads[caller.Ref()]
	if s == nil || w == nil || w.gateway || s.gateway {
		// Nothing in a gateway's pod sends requests, and nothing in the world gives a
		// gateway something to listen for.
		return nil
	}
	for _, port := range s.ports {
		base := client.Request{Host: about.Hostname, Port: port.number, Method: "GET", Path: "/", Headers: map[string]string{}}
		switch port.kind {
		case kindTCP:
			base.Protocol, base.Method, base.Path = client.TCP, "", ""
		case kindGRPC:
			base.Protocol, base.Method, base.Path = client.GRPC, "POST", client.DefaultMethod
		case kindHTTP2:
			base.Protocol = client.HTTP2
		case kindHTTP, kindUndeclared:
			base.Protocol = client.HTTP1
		}
		if err := c.port(caller, about, port, base); err != nil {
			return err
		}
	}
	return nil
}

func (c *candidates) port(caller Description, about *Outbound, port servicePort, base client.Request) error {
	variants := []variant{{"plain", base}}
	if port.kind != kindTCP {
		conditions := slices.Clone(about.Access.Conditions)
		for _, t := range about.Targets {
			conditions = append(conditions, t.Access.Conditions...)
		}
		for _, condition := range conditions {
			variants = append(variants, variant{"access inside", condition.satisfy(base)})
			for _, v := range condition.miss(base) {
				variants = append(variants, variant{"access outside " + v.name, v.request})
			}
		}
		for _, route := range about.Routes {
			if route.Match == nil || len(route.Ports) > 0 && !slices.Contains(route.Ports, port.number) {
				continue
			}
			// Within the route and, if there is such a request, let in.
			inside, possible := route.Match.satisfy(base)
			if !possible {
				continue
			}
			for _, condition := range conditions {
				if both := condition.satisfy(inside); route.Match.matches(both) {
					inside = both
					break
				}
			}
			variants = append(variants, variant{"route inside", inside})
			for _, v := range route.Match.miss(inside) {
				variants = append(variants, variant{"route outside " + v.name, v.request})
			}
		}
	}
	for _, v := range variants {
		if port.kind == kindGRPC && v.request.Method != http.MethodPost {
			continue // the method of gRPC is fixed
		}
		if err := c.probes(caller, about, port, v); err != nil {
			return err
		}
	}
	return nil
}

// probes adds a request, and variations of it that show the settings of its
// route.
func (c *candidates) probes(caller Description, about *Outbound, port servicePort, v variant) error {
	e, _, err := c.expect(caller.Ref(), about.Destination, v.request)
	if err != nil {
		return err
	}
	if err := c.add(caller, about, port, v, "plain"); err != nil {
		return err
	}
	if port.kind == kindTCP || strings.Contains(v.name, "outside") {
		return nil // what is outside of one thing is inside of another
	}
	more := func(name string, headers map[string]string, method string) error {
		request := cloned(v.request)
		maps.Copy(request.Headers, headers)
		if method != "" && port.kind != kindGRPC {
			request.Method = method
		}
		return c.add(caller, about, port, variant{v.name, request}, name)
	}
	if limit := e.limit(); limit > 0 {
		above := limit + max(limit/2, 700*time.Millisecond)
		if above < client.DefaultTimeout/2 && c.mayFail(caller, about, "late") {
			if err := more("above the timeout", map[string]string{echo.HeaderDelay: above.String()}, ""); err != nil {
				return err
			}
		}
		if err := more("below the timeout", map[string]string{echo.HeaderDelay: (limit / 4).String()}, ""); err != nil {
			return err
		}
	}
	if e.Retries != nil && c.mayFail(caller, about, "status") {
		headers := map[string]string{echo.HeaderStatus: "503"}
		if port.kind == kindGRPC {
			headers = map[string]string{echo.HeaderGRPCStatus: strconv.Itoa(grpcUnavailable)}
		}
		if err := more("failing", headers, ""); err != nil {
			return err
		}
	}
	if len(e.RequestHeaders.Remove)+len(e.ResponseHeaders.Remove) > 0 {
		headers := map[string]string{}
		for _, name := range e.RequestHeaders.Remove {
			headers[strings.ToLower(name)] = "sent"
		}
		var respond []string
		for _, name := range e.ResponseHeaders.Remove {
			respond = append(respond, name+"=sent")
		}
		if len(respond) > 0 {
			headers[echo.HeaderRespond] = strings.Join(respond, ",")
		}
		if err := more("headers", headers, ""); err != nil {
			return err
		}
	}
	return c.cors(e, more)
}

// mayFail reports whether a backend may be told to fail. Where a few failures in
// a row eject it, each caller gets to see each kind only once: otherwise the
// questions would change the answers to others.
func (c *candidates) mayFail(caller Description, about *Outbound, how string) bool {
	const harmless = 20
	for _, setting := range about.Connection {
		var outliers networkingv1.OutlierDetection
		if setting.Field != fieldOutliers || json.Unmarshal(setting.Value, &outliers) == nil && outliers.ConsecutiveErrors >= harmless {
			continue
		}
		key := fmt.Sprint(caller.Ref(), about.Destination, how)
		first := !c.failed[key]
		c.failed[key] = true
		return first
	}
	return true
}

// cors adds what browsers send.
func (c *candidates) cors(e Expectation, more func(string, map[string]string, string) error) error {
	for _, setting := range e.Settings {
		var cors networkingv1.CORSPolicy
		if setting.Field != fieldCORS {
			continue
		}
		if err := json.Unmarshal(setting.Value, &cors); err != nil {
			return fmt.Errorf("read a CORS policy: %w", err)
		}
		origins := map[string]string{"strange origin": "https://strange.example.org"}
		for i, allowed := range cors.AllowOrigins {
			origins[fmt.Sprintf("allowed origin %d", i+1)] = textFor(allowed)
		}
		for _, name := range slices.Sorted(maps.Keys(origins)) {
			if err := more(name, map[string]string{"origin": origins[name]}, ""); err != nil {
				return err
			}
			preflight := map[string]string{"origin": origins[name], "access-control-request-method": "GET"}
			if err := more("preflight of "+name, preflight, "OPTIONS"); err != nil {
				return err
			}
		}
	}
	return nil
}

// limit is how long one attempt may take, 0 for ever.
func (e Expectation) limit() time.Duration {
	limit := e.Timeout
	if e.Retries != nil && e.Retries.PerTry > 0 && (limit == 0 || e.Retries.PerTry < limit) {
		limit = e.Retries.PerTry
	}
	return limit
}

// add adds one question.
func (c *candidates) add(caller Description, about *Outbound, port servicePort, v variant, probe string) error {
	q, err := c.question(caller.Ref(), about.Destination, port, v.request)
	if err != nil {
		return err
	}
	key := fmt.Sprint(q.From, q.To, q.Request.Port, q.Request.Method, q.Request.Path, q.Request.Headers)
	if c.seen[key] {
		return nil
	}
	c.seen[key] = true
	q.Tags = append(q.Tags, "variant "+v.name, "probe "+probe, fmt.Sprintf("probe %s %s", probe, q.Via))
	slices.Sort(q.Tags)
	q.Tags = slices.Compact(q.Tags)
	c.questions = append(c.questions, q)
	return nil
}

// question returns the question about a request.
func (o *oracle) question(from WorkloadRef, to Ref, port servicePort, request client.Request) (Question, error) {
	e, about, err := o.expect(from, to, request)
	if err != nil {
		return Question{}, err
	}
	caller, _ := o.descriptions.about(from, to)
	q := Question{
		From: from, Identity: caller.Identity, To: to, Hostname: about.Hostname, Via: about.Via, Kind: string(port.kind),
		Request: request, Fresh: true, Described: about.Access.Verdict, Expect: e,
	}
	q.Repeat = e.repeat(ordersOf(request))
	q.Tags = o.tags(q, about)
	return q, nil
}

// repeat says how often a request has to be sent to tell chance from certainty.
func (e Expectation) repeat(o orders) int {
	var percents []float64
	if e.Abort != nil {
		percents = append(percents, e.Abort.Percent)
	}
	if e.Mirror != nil {
		percents = append(percents, e.Mirror.Percent)
	}
	for _, s := range e.Shares {
		percents = append(percents, s.Weight)
	}
	rarest := 1.0
	for _, percent := range percents {
		if percent > 0 && percent < 100 {
			rarest = min(rarest, percent/100, 1-percent/100)
		}
	}
	switch {
	case o.delay > 0 || o.status > 0 || o.grpcStatus > 0:
		return 1
	case e.Delay != nil && e.Delay.Percent > 0 && e.Delay.Percent < 100 && e.Delay.Duration <= time.Second:
		return repeatSlow
	case e.Delay != nil && e.Delay.Percent > 0:
		return 1
	case rarest == 1 && slices.ContainsFunc(e.Shares, func(s Share) bool { return len(s.Subset) > 0 }):
		return repeatSubset
	case rarest == 1:
		return 1
	default:
		return min(max(int(math.Ceil(math.Log(falseAlarm)/math.Log1p(-rarest))), repeatLeast), repeatMost)
	}
}

// tags say what a question exercises.
func (o *oracle) tags(q Question, about *Outbound) []string {
	add := func(format string, args ...any) { q.Tags = append(q.Tags, fmt.Sprintf(format, args...)) }
	add("%s %s %s", q.Via, q.Described, q.Kind)
	add("%s %s", q.Via, q.Expect.Verdict)
	add("port %s", q.Kind)
	add("from %s", q.From)
	add("to %s:%d via %s", q.To, q.Request.Port, q.Via)
	for _, p := range q.Expect.Policies {
		add("access policy %s %s %s", p.Name, q.Via, q.Expect.Verdict)
	}
	for _, s := range q.Expect.Settings {
		add("setting %s %s %s", s.Policy.Name, s.Field, q.Via)
	}
	for _, s := range about.Connection {
		add("connection %s %s %s", s.Policy.Name, s.Field, q.Via)
	}
	for _, s := range q.Expect.Shares {
		if s.To != q.To || len(s.Subset) > 0 {
			add("share to another cluster %v, subset %v, %s", s.To.Cluster != q.From.Cluster, len(s.Subset) > 0, s.Verdict)
		}
	}
	q.Tags = append(q.Tags, o.facts.touched(q)...)
	slices.Sort(q.Tags)
	return slices.Compact(q.Tags)
}
