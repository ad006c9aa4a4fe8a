package wizard

import (
	"cmp"
	"fmt"
	"math"

	"github.com/meshctl/meshctl/internal/render"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

func (t *trafficPolicy) retries(label, about string) setting {
	in := t.in
	attempts := count(t.flow, "", "How often a failed request is sent again", "Retries:", "2", 0, math.MaxInt32, &in.RetryAttempts)
	return setting{
		label: label, about: about,
		now: func() string {
			if in.RetryTimeout != nil {
				return attempts.now() + ", each within " + textOf(in.RetryTimeout)
			}
			return attempts.now()
		},
		ask: func() error {
			if err := attempts.ask(); err != nil {
				return err
			}
			answer, err := t.Input(Question{
				Text: "Timeout of each attempt:", Help: "How long one attempt may take, such as 2s; none leaves that to the timeout of the request.",
			}, cmp.Or(textOf(in.RetryTimeout), noValue), orNone(checkDuration))
			if err != nil || answer == noValue {
				in.RetryTimeout = nil
				return err
			}
			in.RetryTimeout, err = parseDuration(answer)
			return err
		},
		clear: func() { in.RetryAttempts, in.RetryTimeout = nil, nil },
	}
}

// fault is a delay or an abort.
func (t *trafficPolicy) fault(label, about string) setting {
	in := &t.in.Fault
	delay := duration(t.flow, "", "How long a request waits before it is sent", "Delay:", "5s", &in.Delay)
	abort := count(t.flow, "", "The status to answer with instead of sending the request", "HTTP status:", "503", 200, 599, &in.AbortStatus)
	part := fraction(t.flow, "", "The part of the requests it happens to, in percent", "Percent of the requests:", "100", 100, &in.Percentage)
	return setting{
		label: label, about: about,
		now: func() string {
			switch {
			case in.Delay != nil:
				return "delay " + textOf(in.Delay) + percentText(in.Percentage)
			case in.AbortStatus != nil:
				return "status " + abort.now() + percentText(in.Percentage)
			default:
				return ""
			}
		},
		ask: func() error {
			first := 0
			if in.AbortStatus != nil {
				first = 1
			}
			chosen, err := t.Select(Question{Text: "Which fault?", Help: "A policy either delays requests or answers them."}, []Option{
				{Label: "Delay", Detail: "requests wait"}, {Label: "Abort", Detail: "requests are answered with a status"},
			}, first)
			if err != nil {
				return err
			}
			one := delay
			if chosen == 0 {
				abort.clear()
			} else {
				delay.clear()
				one = abort
			}
			if err := one.ask(); err != nil {
				return err
			}
			return part.ask()
		},
		clear: func() { *in = render.FaultInput{} },
	}
}

func percentText(part *float64) string {
	if part == nil || *part == 100 {
		return ""
	}
	return fmt.Sprintf(" for %v%%", *part)
}

func (t *trafficPolicy) mirror(label, about string) setting {
	in := &t.in.Mirror
	part := fraction(t.flow, "", "The part of the requests that is copied, in percent", "Percent of the requests to copy:", "100", 100, &in.Percentage)
	return setting{
		label: label, about: about,
		now: func() string {
			if in.KubeService == nil {
				return ""
			}
			return "to " + refText(*in.KubeService) + percentText(in.Percentage)
		},
		ask: func() error {
			s, err := t.service(Question{Text: "Where do the copies go?", Help: "The answers to copies are thrown away."}, valueOf(in.KubeService))
			if err != nil {
				return err
			}
			port, err := t.portOf(s, in.Port)
			if err != nil {
				return err
			}
			in.KubeService, in.Port = &s.Ref, port
			return part.ask()
		},
		clear: func() { *in = networkingv1.Mirror{} },
	}
}

func (t *trafficPolicy) outlier(label, about string) setting {
	in := &t.in.Outlier
	list := []setting{
		count(t.flow, "Errors", "failures in a row after which an endpoint is not used; 5 without it", "Failures in a row:", "5", 1, math.MaxInt32, &in.Errors),
		duration(t.flow, "Interval", "time between looks at the endpoints; 10s without it", "Time between looks:", "10s", &in.Interval),
		duration(t.flow, "Ejection time", "how long an endpoint is not used; 30s without it", "How long an endpoint is not used:", "30s", &in.EjectionTime),
		count(t.flow, "Max ejection", "percent of the endpoints that may be out of use; 100 without it", "Percent of the endpoints:", "100", 1, 100, &in.MaxEjection),
	}
	return setting{
		label: label, about: about,
		now: func() string { return unlessDefaults(settingsText(list)) },
		ask: func() error {
			if len(t.in.Sources) > 0 {
				// Endpoints are judged for all callers at once (semantics D27).
				everyone, err := t.Confirm(Question{
					Text: "Outlier detection works for all callers at once. Make the policy about every workload?",
					Help: "No leaves outlier detection out and keeps the sources.",
				}, true)
				if err != nil || !everyone {
					*in = render.OutlierInput{}
					return err
				}
				t.in.Sources = []core.KubeWorkloadMatcher{}
			}
			q := Question{
				Text: "When is an endpoint not used for a while?", AtLeastOne: true,
				Help: "Mark at least one thing to set; the rest has its default.",
			}
			return t.settings(q, list)
		},
		clear: func() { *in = render.OutlierInput{} },
	}
}

// unlessDefaults is empty if nothing is set.
func unlessDefaults(text string) string {
	if text == "defaults" {
		return ""
	}
	return text
}

func (t *trafficPolicy) connectionPool(label, about string) setting {
	in := &t.in.ConnectionPool
	list := []setting{
		count(t.flow, "Connections", "most TCP connections to an endpoint", "Most connections:", "100", 1, math.MaxInt32, &in.MaxConnections),
		duration(t.flow, "Connect timeout", "how long connecting may take", "Connect timeout:", "10s", &in.ConnectTimeout),
		keepalive(t.flow, "probes of idle connections", &in.Keepalive),
		count(t.flow, "Pending requests", "most HTTP/1.1 requests that wait for a connection", "Most waiting requests:", "1024", 1, math.MaxInt32, &in.MaxPendingRequests),
		count(t.flow, "Requests", "most HTTP/2 requests at once", "Most requests at once:", "1024", 1, math.MaxInt32, &in.MaxRequests),
		count(t.flow, "Requests per connection", "requests after which a connection is closed", "Requests per connection:", "100", 1, math.MaxInt32, &in.MaxRequestsPerConnection),
		count(t.flow, "Retries at once", "most retries at once", "Most retries at once:", "3", 1, math.MaxInt32, &in.MaxRetries),
		duration(t.flow, "Idle timeout", "when an unused connection is closed", "Idle timeout:", "1h", &in.IdleTimeout),
		enum(t.flow, "HTTP/2 upgrade", "whether HTTP/1.1 becomes HTTP/2", "Do HTTP/1.1 connections become HTTP/2?", []choice[networkingv1.H2UpgradePolicy]{
			{networkingv1.H2UpgradePolicyUpgrade, "Yes", "UPGRADE"},
			{networkingv1.H2UpgradePolicyDoNotUpgrade, "No", "DO_NOT_UPGRADE"},
			{networkingv1.H2UpgradePolicyDefault, "As the mesh does", "DEFAULT"},
		}, &in.H2Upgrade),
		toggle("Client protocol", "keep the HTTP version that the client used", &in.UseClientProtocol),
	}
	return setting{
		label: label, about: about,
		now: func() string { return unlessDefaults(settingsText(list)) },
		ask: func() error {
			return t.settings(Question{
				Text: "Which limits?", AtLeastOne: true, Help: "Mark the limits to set; each is asked for next.",
			}, list)
		},
		clear: func() { *in = render.ConnectionPoolInput{} },
	}
}
