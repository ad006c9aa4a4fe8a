package wizard_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/render"
	"github.com/meshctl/meshctl/internal/wizard"
	answer "github.com/meshctl/meshctl/internal/wizard/wizardtest"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

const (
	whose  = "Which workloads send the requests?"
	which  = "Which services does the policy apply to?"
	effect = "Which settings do you want to set?"
)

// effectAnd answers the basics of a policy with these features, then these
// answers, then leaves.
func effectAnd(features []string, answers ...answer.Answer) []answer.Answer {
	all := []answer.Answer{answer.Default("Name"), answer.Default(whose), answer.Select(which, "Every service"), answer.Mark(effect, features...)}
	return append(append(all, answers...), answer.Select(menu, done))
}

// everywhere is the input that effectAnd gives, with changes.
func everywhere(change func(*render.TrafficPolicyInput)) *render.TrafficPolicyInput {
	in := &render.TrafficPolicyInput{Sources: []core.KubeWorkloadMatcher{}, Destinations: []core.DestinationSelector{}}
	change(in)
	return in
}

func seconds(n int) *core.Duration { return core.NewDuration(time.Duration(n) * time.Second) }

func target(weight uint32, name, cluster string, port uint32, subset map[string]string) networkingv1.WeightedDestination {
	return networkingv1.WeightedDestination{
		Weight:      &weight,
		KubeService: &networkingv1.KubeDestination{Name: name, Namespace: "bookinfo", ClusterName: cluster, Port: port, Subset: subset},
	}
}

type trafficTest struct {
	name    string
	answers []answer.Answer
	want    *render.TrafficPolicyInput
}

func trafficTests() []trafficTest {
	return []trafficTest{
		{
			"a timeout for some callers of one service",
			[]answer.Answer{
				answer.Type("Name", "slow"), answer.Select(whose, "Selected workloads"),
				answer.Mark("Match the workloads by:", "Namespace", "Cluster", "Label"),
				answer.Mark("Which namespaces?", "bookinfo"), answer.Mark("Which clusters?", "west", "east"),
				answer.Mark("Which labels?", "app=ratings", "app=reviews"), answer.Mark("Select one value per label. ", "app=reviews", "version=v1"),
				answer.Select(which, "Services by name"), answer.Mark("Which services?", "ratings.bookinfo.east"),
				answer.Mark(effect, "Timeout"), answer.Type("Timeout:", "soon"), answer.Type("Timeout:", "-1s"), answer.Type("Timeout:", "1us"), answer.Type("Timeout:", "2s"), answer.Select(menu, done),
			},
			&render.TrafficPolicyInput{
				Sources:      []core.KubeWorkloadMatcher{{Namespaces: []string{"bookinfo"}, Clusters: []string{"east", "west"}, Labels: map[string]string{"app": "reviews", "version": "v1"}}},
				Destinations: []core.DestinationSelector{{KubeServiceRefs: &core.KubeServiceRefs{Services: []core.ClusterObjectRef{service("ratings", "east")}}}},
				Timeout:      seconds(2),
			},
		},
		{
			"retries and their timeout, taken back",
			effectAnd([]string{"Retries"}, answer.Type("Retries:", "-1"), answer.Type("Retries:", "3"), answer.Type("Timeout of each attempt:", "1s"),
				answer.Select(menu, "Retries"), answer.Default("Retries:"), answer.Type("Timeout of each attempt:", "none")),
			everywhere(func(in *render.TrafficPolicyInput) { in.RetryAttempts = to(int32(3)) }),
		},
		{
			"retries with a timeout each, to services of all kinds",
			[]answer.Answer{
				answer.Default("Name"), answer.Default(whose), answer.Select(which, "Services by name"), answer.Mark("Which services?", "payments.shop"), answer.Mark(effect, "Retries"),
				answer.Default("Retries:"), answer.Type("Timeout of each attempt:", "500ms"),
				answer.Select(menu, "Destinations"), answer.Default("Which destinations do you want to keep?"), answer.Confirm("Add more destinations?", true), answer.Select(which, "Services by namespace, cluster or label"),
				answer.Mark("Match the services by:", "Cluster", "Label"), answer.Mark("Which clusters?", "east"), answer.Mark("Which labels?", "app=ratings"), answer.Confirm("Add more destinations?", false),
				answer.Select(menu, done),
			},
			&render.TrafficPolicyInput{
				Sources: []core.KubeWorkloadMatcher{},
				Destinations: []core.DestinationSelector{
					{ExternalServiceRefs: &core.ExternalServiceRefs{ExternalServices: []core.ObjectRef{{Name: "payments", Namespace: "shop"}}}},
					{KubeServiceMatcher: &core.KubeServiceMatcher{Clusters: []string{"east"}, Labels: map[string]string{"app": "ratings"}}},
				},
				RetryAttempts: to(int32(2)), RetryTimeout: core.NewDuration(500 * time.Millisecond),
			},
		},
		{
			"a shift by version and port, with headers for one target",
			effectAnd([]string{"Shift"},
				answer.Mark("Send requests to:", "reviews.bookinfo.east", "reviews.bookinfo.west"),
				answer.Mark("Which versions of reviews.bookinfo.east?", "version=v1", "version=v2"),
				answer.Select("Which port of reviews.bookinfo.west?", "9090"), answer.Mark("Which versions of reviews.bookinfo.west?"),
				answer.Type("Percentage of requests to reviews.bookinfo.east with version=v1:", "101"), answer.Type("Percent", "60"),
				answer.Type("Percentage of requests to reviews.bookinfo.east with version=v2 (reviews.bookinfo.west gets the rest):", "41"), answer.Type("Percent", "20"),
				answer.Select(menu, "Headers per target"), answer.Mark("For which targets do you want to change headers?", "reviews.bookinfo.east with version=v2"),
				answer.Mark("Which header changes do you want?", "Add to requests", "Add to responses", "Remove from requests", "Remove from responses"),
				answer.Type("Request header to add", "x-to=v2"), answer.Confirm("Add more", false), answer.Type("Response header to add", "x-version=v2"), answer.Confirm("Add more", false),
				answer.Type("Request headers to remove:", "x-a, x-b,x-a"), answer.Type("Response headers to remove:", "server")),
			everywhere(func(in *render.TrafficPolicyInput) {
				in.Shift = []networkingv1.WeightedDestination{
					target(60, "reviews", "east", 0, map[string]string{"version": "v1"}),
					target(20, "reviews", "east", 0, map[string]string{"version": "v2"}),
					target(20, "reviews", "west", 9090, nil),
				}
				in.Shift[1].Options = &networkingv1.DestinationOptions{HeaderManipulation: &networkingv1.HeaderManipulation{
					AppendRequestHeaders: map[string]string{"x-to": "v2"}, AppendResponseHeaders: map[string]string{"x-version": "v2"},
					RemoveRequestHeaders: []string{"x-a", "x-b"}, RemoveResponseHeaders: []string{"server"},
				}}
			}),
		},
		{
			"a shift visited again keeps what it had",
			effectAnd([]string{"Shift"},
				answer.Mark("Send requests to:", "ratings.bookinfo.east", "reviews.bookinfo.east"), answer.Mark("Which versions of reviews.bookinfo.east?", "version=v2"),
				answer.Type("Percent", "30"), answer.Select(menu, "Settings"), answer.Default(effect),
				answer.Select(menu, "Shift"), answer.Default("Send requests to:"), answer.Default("Which versions of reviews.bookinfo.east?"),
				answer.Default("Percent")),
			everywhere(func(in *render.TrafficPolicyInput) {
				in.Shift = []networkingv1.WeightedDestination{
					target(30, "ratings", "east", 0, nil), target(70, "reviews", "east", 0, map[string]string{"version": "v2"}),
				}
			}),
		},
		{
			"a shift to one target needs no weight",
			effectAnd([]string{"Shift"}, answer.Mark("Send requests to:", "ratings.bookinfo.east")),
			everywhere(func(in *render.TrafficPolicyInput) {
				in.Shift = []networkingv1.WeightedDestination{{KubeService: &networkingv1.KubeDestination{Name: "ratings", Namespace: "bookinfo", ClusterName: "east"}}}
			}),
		},
		{
			"a shift starts from the services that the policy names",
			[]answer.Answer{
				answer.Default("Name"), answer.Default(whose), answer.Default(which), answer.Mark("Which services?", "reviews.bookinfo.east"),
				answer.Mark(effect, "Shift"), answer.Default("Send requests to:"), answer.Mark("Which versions", "version=v1", "version=v2"),
				answer.Type("Percent", "90"), answer.Select(menu, done),
			},
			&render.TrafficPolicyInput{
				Sources:      []core.KubeWorkloadMatcher{},
				Destinations: []core.DestinationSelector{{KubeServiceRefs: &core.KubeServiceRefs{Services: []core.ClusterObjectRef{service("reviews", "east")}}}},
				Shift: []networkingv1.WeightedDestination{
					target(90, "reviews", "east", 0, map[string]string{"version": "v1"}),
					target(10, "reviews", "east", 0, map[string]string{"version": "v2"}),
				},
			},
		},
		{
			"a delay becomes an abort",
			effectAnd([]string{"Fault"}, answer.Select("Which fault?", "Delay"), answer.Default("Delay:"), answer.Type("Percentage of requests:", "200"), answer.Type("Percentage of requests:", "12.5"),
				answer.Select(menu, "Fault"), answer.Select("Which fault?", "Abort"), answer.Type("HTTP status:", "99"), answer.Default("HTTP status:"), answer.Default("Percentage of requests:")),
			everywhere(func(in *render.TrafficPolicyInput) {
				in.Fault = render.FaultInput{AbortStatus: to(int32(503)), Percentage: to(12.5)}
			}),
		},
		{
			"a delay",
			effectAnd([]string{"Fault"}, answer.Default("Which fault?"), answer.Default("Delay:"), answer.Default("Percent")),
			everywhere(func(in *render.TrafficPolicyInput) {
				in.Fault = render.FaultInput{Delay: seconds(5), Percentage: to(100.0)}
			}),
		},
		{
			"a mirror",
			effectAnd([]string{"Mirror"}, answer.Select("Mirror requests to:", "reviews.bookinfo.west"), answer.Select("Which port", "9090"), answer.Type("Percent", "5")),
			everywhere(func(in *render.TrafficPolicyInput) {
				in.Mirror = networkingv1.Mirror{KubeService: to(service("reviews", "west")), Port: 9090, Percentage: to(5.0)}
			}),
		},
		{
			"headers",
			effectAnd([]string{"Headers"}, answer.Mark("Which header changes do you want?", "Add to requests", "Add to responses", "Remove from requests", "Remove from responses"),
				answer.Type("Request header to add", "bad name=x"), answer.Type("Request header to add", "x-a"), answer.Type("Request header to add", "x-a=1,2"), answer.Confirm("Add more", true), answer.Type("Request header to add", "x-b=3"), answer.Confirm("Add more", false),
				answer.Type("Response header to add", "x-c=4"), answer.Confirm("Add more", false), answer.Type("Request headers to remove:", "x-d"), answer.Type("Response headers to remove:", "x-e")),
			everywhere(func(in *render.TrafficPolicyInput) {
				in.Headers = networkingv1.HeaderManipulation{
					AppendRequestHeaders: map[string]string{"x-a": "1,2", "x-b": "3"}, AppendResponseHeaders: map[string]string{"x-c": "4"},
					RemoveRequestHeaders: []string{"x-d"}, RemoveResponseHeaders: []string{"x-e"},
				}
			}),
		},
		{
			"cross-origin requests",
			effectAnd([]string{"CORS"}, answer.Mark("Which CORS settings do you want to set?", "Origins", "Methods", "Request headers", "Response headers", "Max age", "Credentials"),
				answer.Select("How do you want to compare the origin?", "Suffix"), answer.Type("Origin (suffix):", ".example.com"), answer.Confirm("Add more origins?", true),
				answer.Select("How do you want to compare the origin?", "Regular expression"), answer.Type("Origin", "("), answer.Type("Origin", "https://.*"), answer.Confirm("Add more origins?", false),
				answer.Mark("Which methods?", "POST", "GET"), answer.Type("Allowed request headers:", "x-a"), answer.Type("Response headers to", "x-b"), answer.Default("Max age:")),
			everywhere(func(in *render.TrafficPolicyInput) {
				in.CORS = networkingv1.CORSPolicy{
					AllowOrigins: []core.StringMatch{{Suffix: to(".example.com")}, {Regex: to("https://.*")}},
					AllowMethods: []string{"GET", "POST"}, AllowHeaders: []string{"x-a"}, ExposeHeaders: []string{"x-b"},
					MaxAge: core.NewDuration(24 * time.Hour), AllowCredentials: to(true),
				}
			}),
		},
		{
			"outlier detection",
			effectAnd([]string{"Outlier detection"}, answer.Mark("Which outlier detection settings do you want to set?", "Errors", "Interval", "Ejection time", "Max ejection"),
				answer.Type("Consecutive errors:", "7"), answer.Type("Interval", "1s"), answer.Default("Ejection time:"), answer.Type("Percentage of endpoints:", "50")),
			everywhere(func(in *render.TrafficPolicyInput) {
				in.Outlier = render.OutlierInput{Errors: to(uint32(7)), Interval: seconds(1), EjectionTime: seconds(30), MaxEjection: to(uint32(50))}
			}),
		},
		{
			"outlier detection makes the policy about everyone",
			[]answer.Answer{
				answer.Default("Name"), answer.Select(whose, "Selected workloads"), answer.Mark("Match the workloads", "Cluster"), answer.Mark("Which clusters?", "east"),
				answer.Select(which, "Every service"), answer.Mark(effect, "Outlier detection"), answer.Confirm("Outlier detection applies to all callers. Change the sources to all workloads?", true),
				answer.Mark("Which outlier detection settings do you want to set?", "Errors"), answer.Default("Consecutive errors:"), answer.Select(menu, done),
			},
			everywhere(func(in *render.TrafficPolicyInput) { in.Outlier.Errors = to(uint32(5)) }),
		},
		{
			"or is left out",
			[]answer.Answer{
				answer.Default("Name"), answer.Select(whose, "Selected workloads"), answer.Mark("Match the workloads", "Cluster"), answer.Mark("Which clusters?", "east"),
				answer.Select(which, "Every service"), answer.Mark(effect, "Outlier detection", "TLS"), answer.Confirm("Outlier detection applies to all callers. Change the sources to all workloads?", false),
				answer.Select("How do clients connect?", "TLS without client certificate"), answer.Select(menu, done),
			},
			&render.TrafficPolicyInput{
				Sources: []core.KubeWorkloadMatcher{{Clusters: []string{"east"}}}, Destinations: []core.DestinationSelector{}, TLSMode: to(networkingv1.TLSModeSimple),
			},
		},
		{
			"connection pool",
			effectAnd([]string{"Connection pool"},
				answer.Mark("Which limits?", "Connections", "Connect timeout", "TCP keepalive", "Pending requests", "Requests", "Requests per connection", "Concurrent retries", "Idle timeout", "HTTP/2 upgrade", "Client protocol"),
				answer.Type("Maximum connections:", "2147483648"), answer.Type("Maximum connections:", "9"), answer.Default("Connect timeout:"), answer.Mark("Which keepalive settings do you want to set?", "Probes", "Time", "Interval"),
				answer.Default("Unanswered"), answer.Default("Idle time"), answer.Default("Time between probes:"),
				answer.Default("Maximum pending requests:"), answer.Default("Maximum concurrent requests:"), answer.Default("Requests per"), answer.Default("Maximum concurrent retries:"), answer.Default("Idle"), answer.Select("Upgrade HTTP/1.1 connections to HTTP/2?", "No")),
			everywhere(func(in *render.TrafficPolicyInput) {
				in.ConnectionPool = render.ConnectionPoolInput{
					MaxConnections: to(int32(9)), ConnectTimeout: seconds(10), Keepalive: &core.TCPKeepalive{Probes: 3, Time: seconds(600), Interval: seconds(30)},
					MaxPendingRequests: to(int32(1024)), MaxRequests: to(int32(1024)), MaxRequestsPerConnection: to(int32(100)), MaxRetries: to(int32(3)),
					IdleTimeout: core.NewDuration(time.Hour), H2Upgrade: to(networkingv1.H2UpgradePolicyDoNotUpgrade), UseClientProtocol: to(true),
				}
			}),
		},
		{
			"requests and ports",
			effectAnd([]string{"Timeout"}, answer.Default("Timeout:"),
				answer.Select(menu, "Requests"), answer.Select("Which requests does the policy match?", "Selected requests"), answer.Mark("Match requests by:", "Path", "Method", "Header", "Query parameter", "Name"),
				answer.Select("How do you want to compare the path?", "Prefix"), answer.Type("Path (prefix):", "/api"), answer.Confirm("Ignore case?", true), answer.Select("Which method?", "POST"),
				answer.Type("Name of the header:", "x-user"), answer.Select("How do you want to match the header?", "Regular expression"), answer.Type("Value of the header:", "["), answer.Type("Value of the header:", "j.*"), answer.Confirm("Invert the match?", true),
				answer.Confirm("Add more headers?", true), answer.Type("Name of the header:", "x-canary"), answer.Select("How do you want to match the header?", "Present"), answer.Confirm("Invert the match?", false), answer.Confirm("Add more headers?", false),
				answer.Type("Name of the query parameter:", "user"), answer.Select("How do you want to match the query parameter?", "Regular expression"), answer.Type("Value of the query parameter:", "j+"), answer.Confirm("Add more query parameters?", true),
				answer.Type("Name of the query parameter:", "page"), answer.Default("How do you want to match the query parameter?"), answer.Type("Value of the query parameter:", "1"), answer.Confirm("Add more query parameters?", false),
				answer.Type("Name for these requests:", "canary"), answer.Confirm("Add more request matchers?", true),
				answer.Mark("Match requests by:", "Path"), answer.Select("How do you want to compare the path?", "Exact"), answer.Type("Path", "/x"), answer.Confirm("Ignore case?", false), answer.Confirm("Add more request matchers?", false),
				answer.Select(menu, "Ports"), answer.Mark("Which ports of the destinations?", "9080")),
			everywhere(func(in *render.TrafficPolicyInput) {
				in.Timeout = seconds(10)
				in.Matchers = []core.HTTPMatcher{
					{
						Name: "canary", Method: "POST", URI: &core.StringMatch{Prefix: to("/api"), IgnoreCase: true},
						Headers:         []core.HeaderMatcher{{Name: "x-user", Value: "j.*", Regex: true, InvertMatch: true}, {Name: "x-canary"}},
						QueryParameters: []core.QueryParameterMatcher{{Name: "user", Value: "j+", Regex: true}, {Name: "page", Value: "1"}},
					},
					{URI: &core.StringMatch{Exact: to("/x")}},
				}
				in.Ports = []uint32{9080}
			}),
		},
		{
			"selections that grow and shrink",
			effectAnd([]string{"Timeout"}, answer.Default("Timeout:"),
				answer.Select(menu, "Sources"), answer.Select(whose, "Selected workloads"), answer.Mark("Match the workloads", "Cluster"), answer.Mark("Which clusters?", "east"),
				answer.Select(menu, "Sources"), answer.Default("Which sources do you want to keep?"), answer.Confirm("Add more sources?", true), answer.Mark("Match the workloads", "Namespace"), answer.Mark("Which namespaces?", "bookinfo"), answer.Confirm("Add more sources?", false),
				answer.Select(menu, "Destinations"), answer.Select(which, "External services by namespace or label"), answer.Mark("Match the external services by:", "Namespace", "Label"),
				answer.Mark("Which namespaces?", "shop"), answer.Mark("Which labels?", "team=money"),
				answer.Select(menu, "Destinations"), answer.Default("Which destinations do you want to keep?"), answer.Confirm("Add more destinations?", true),
				answer.Select(which, "Services by namespace, cluster or label"), answer.Mark("Match the services by:", "Namespace"), answer.Mark("Which namespaces?", "bookinfo"), answer.Confirm("Add more destinations?", false),
				answer.Select(menu, "Sources"), answer.Mark("Which sources do you want to keep?", "namespace bookinfo"), answer.Confirm("Add more sources?", false)),
			&render.TrafficPolicyInput{
				Sources: []core.KubeWorkloadMatcher{{Namespaces: []string{"bookinfo"}}},
				Destinations: []core.DestinationSelector{
					{ExternalServiceMatcher: &core.ObjectMatcher{Namespaces: []string{"shop"}, Labels: map[string]string{"team": "money"}}},
					{KubeServiceMatcher: &core.KubeServiceMatcher{Namespaces: []string{"bookinfo"}}},
				},
				Timeout: seconds(10),
			},
		},
		{
			"a feature that is not marked any more is gone",
			effectAnd([]string{"Timeout", "TLS"}, answer.Default("Timeout:"), answer.Default("How do clients connect?"), answer.Select(menu, "Settings"), answer.Mark(effect, "Timeout")),
			everywhere(func(in *render.TrafficPolicyInput) { in.Timeout = seconds(10) }),
		},
	}
}

func TestTrafficPolicy(t *testing.T) {
	t.Parallel()
	for _, tt := range trafficTests() {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			draft := &wizard.Draft[render.TrafficPolicyInput]{}
			if err := wizard.TrafficPolicy(answer.New(t, tt.answers...), bookinfo(), draft); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, draft.Input); diff != "" {
				t.Errorf("input (-want +got):\n%s", diff)
			}
		})
	}
}

// TestTrafficPolicyGiven shows that nothing is asked about what flags gave.
func TestTrafficPolicyGiven(t *testing.T) {
	t.Parallel()
	draft := &wizard.Draft[render.TrafficPolicyInput]{
		Name: "slow", Given: func(flag string) bool { return flag == "destination-selector" },
		Input: &render.TrafficPolicyInput{Timeout: seconds(1)},
	}
	stub := answer.New(t, answer.Default(whose), answer.Select(menu, done))
	if err := wizard.TrafficPolicy(stub, bookinfo(), draft); err != nil {
		t.Fatal(err)
	}
	if got := stub.Screens()[1].Detail("Timeout"); got != "1s" {
		t.Errorf("the menu says the timeout is %q", got)
	}
}

// TestEmptyWorld shows that what a world has nothing of is not offered.
func TestEmptyWorld(t *testing.T) {
	t.Parallel()
	draft := &wizard.Draft[render.TrafficPolicyInput]{}
	stub := answer.New(t, answer.Default("Name"), answer.Default(whose), answer.Default(which), answer.Mark(effect, "Timeout"), answer.Default("Timeout:"),
		answer.Select(menu, "Ports"), answer.Type("Ports of the destinations:", "80, 0"), answer.Type("Ports of the destinations:", "443, 80"),
		answer.Select(menu, "Ports"), answer.Type("Ports of the destinations:", "none"), answer.Select(menu, done))
	if err := wizard.TrafficPolicy(stub, wizard.Catalogue{}, draft); err != nil {
		t.Fatal(err)
	}
	var offered []string
	for _, screen := range stub.Screens()[1:4] {
		for _, o := range screen.Options {
			offered = append(offered, o.Label)
		}
	}
	want := []string{
		"All workloads", "Every service",
		"Timeout", "Retries", "Fault", "Headers", "CORS", "Outlier detection", "TLS", "Connection pool",
	}
	if diff := cmp.Diff(want, offered); diff != "" {
		t.Errorf("offered (-want +got):\n%s", diff)
	}
}
