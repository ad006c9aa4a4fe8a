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
	attempts := count(t.flow, "", "How often a failed request is retried", "Retries:", "2", 0, math.MaxInt32, &in.RetryAttempts)
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
				Text: "Timeout of each attempt:", Help: "Timeout of one attempt, such as 2s; leave empty to use the request timeout only.",
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
	delay := duration(t.flow, "", "Delay before a request is sent", "Delay:", "5s", &in.Delay)
	abort := count(t.flow, "", "HTTP status to return instead of sending the request", "HTTP status:", "503", 200, 599, &in.AbortStatus)
	part := fraction(t.flow, "", "Percentage of affected requests", "Percentage of requests:", "100", 100, &in.Percentage)
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
			chosen, err := t.Select(Question{Text: "Which fault?", Help: "A policy injects either a delay or an error."}, []Option{
				{Label: "Delay", Detail: "delay requests"}, {Label: "Abort", Detail: "return an HTTP status"},
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
	part := fraction(t.flow, "", "Percentage of requests to mirror", "Percentage of requests to mirror:", "100", 100, &in.Percentage)
	return setting{
		label: label, about: about,
		now: func() string {
			if in.KubeService == nil {
				return ""
			}
			return "to " + refText(*in.KubeService) + percentText(in.Percentage)
		},
		ask: func() error {
			s, err := t.service(Question{Text: "Mirror requests to:", Help: "Responses of mirrored requests are discarded."}, valueOf(in.KubeService))
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
		count(t.flow, "Errors", "consecutive errors before an endpoint is ejected; default 5", "Consecutive errors:", "5", 1, math.MaxInt32, &in.Errors),
		duration(t.flow, "Interval", "interval between checks of the endpoints; default 10s", "Interval:", "10s", &in.Interval),
		duration(t.flow, "Ejection time", "how long an endpoint is ejected; default 30s", "Ejection time:", "30s", &in.EjectionTime),
		count(t.flow, "Max ejection", "maximum percentage of ejected endpoints; default 100", "Percentage of endpoints:", "100", 1, 100, &in.MaxEjection),
	}
	return setting{
		label: label, about: about,
		now: func() string { return unlessDefaults(settingsText(list)) },
		ask: func() error {
			if len(t.in.Sources) > 0 {
				// Endpoints are judged for all callers at once (D27).
				everyone, err := t.Confirm(Question{
					Text: "Outlier detection applies to all callers. Change the sources to all workloads?",
					Help: "No keeps the sources and skips outlier detection.",
				}, true)
				if err != nil || !everyone {
					*in = render.OutlierInput{}
					return err
				}
				t.in.Sources = []core.KubeWorkloadMatcher{}
			}
			q := Question{
				Text: "Which outlier detection settings do you want to set?", AtLeastOne: true,
				Help: "Select at least one; the others keep their defaults.",
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
		count(t.flow, "Connections", "maximum TCP connections to an endpoint", "Maximum connections:", "100", 1, math.MaxInt32, &in.MaxConnections),
		duration(t.flow, "Connect timeout", "timeout for new connections", "Connect timeout:", "10s", &in.ConnectTimeout),
		keepalive(t.flow, "probes of idle connections", &in.Keepalive),
		count(t.flow, "Pending requests", "maximum pending HTTP/1.1 requests", "Maximum pending requests:", "1024", 1, math.MaxInt32, &in.MaxPendingRequests),
		count(t.flow, "Requests", "maximum concurrent HTTP/2 requests", "Maximum concurrent requests:", "1024", 1, math.MaxInt32, &in.MaxRequests),
		count(t.flow, "Requests per connection", "maximum requests per connection", "Requests per connection:", "100", 1, math.MaxInt32, &in.MaxRequestsPerConnection),
		count(t.flow, "Concurrent retries", "maximum concurrent retries", "Maximum concurrent retries:", "3", 1, math.MaxInt32, &in.MaxRetries),
		duration(t.flow, "Idle timeout", "timeout of idle connections", "Idle timeout:", "1h", &in.IdleTimeout),
		enum(t.flow, "HTTP/2 upgrade", "upgrade HTTP/1.1 to HTTP/2", "Upgrade HTTP/1.1 connections to HTTP/2?", []choice[networkingv1.H2UpgradePolicy]{
			{networkingv1.H2UpgradePolicyUpgrade, "Yes", "UPGRADE"},
			{networkingv1.H2UpgradePolicyDoNotUpgrade, "No", "DO_NOT_UPGRADE"},
			{networkingv1.H2UpgradePolicyDefault, "Mesh default", "DEFAULT"},
		}, &in.H2Upgrade),
		toggle("Client protocol", "keep the HTTP version of the client", &in.UseClientProtocol),
	}
	return setting{
		label: label, about: about,
		now: func() string { return unlessDefaults(settingsText(list)) },
		ask: func() error {
			return t.settings(Question{
				Text: "Which limits?", AtLeastOne: true, Help: "Select the limits; you enter the values next.",
			}, list)
		},
		clear: func() { *in = render.ConnectionPoolInput{} },
	}
}
