package echo

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestOrders(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		headers map[string]string
		arrival int
		want    orders
		err     string
	}{
		"none":                    {},
		"delay":                   {headers: map[string]string{HeaderDelay: "1.5s"}, want: orders{delay: 1500 * time.Millisecond}},
		"status":                  {headers: map[string]string{HeaderStatus: "503"}, arrival: 7, want: orders{status: 503}},
		"first status":            {headers: map[string]string{HeaderStatus: "503, 404,200"}, arrival: 1, want: orders{status: 503}},
		"second status":           {headers: map[string]string{HeaderStatus: "503, 404,200"}, arrival: 2, want: orders{status: 404}},
		"last status is repeated": {headers: map[string]string{HeaderStatus: "503,404,200"}, arrival: 4, want: orders{status: 200}},
		"without an ID":           {headers: map[string]string{HeaderStatus: "503,200", HeaderClose: "1"}, arrival: 0, want: orders{status: 503, close: true}},
		"gRPC status":             {headers: map[string]string{HeaderGRPCStatus: "14,0"}, arrival: 1, want: orders{grpcStatus: 14}},
		"close always":            {headers: map[string]string{HeaderClose: "always"}, arrival: 9, want: orders{close: true}},
		"close this one":          {headers: map[string]string{HeaderClose: "1,3"}, arrival: 3, want: orders{close: true}},
		"do not close this one":   {headers: map[string]string{HeaderClose: "1,3"}, arrival: 2},
		"response headers": {
			headers: map[string]string{HeaderRespond: "a=b, c=d=e"},
			want:    orders{respond: []header{{"a", "b"}, {"c", "d=e"}}},
		},
		"bad delay":           {headers: map[string]string{HeaderDelay: "5"}, err: `invalid x-lab-delay: time: missing unit in duration "5"`},
		"bad status":          {headers: map[string]string{HeaderStatus: "200,100"}, err: `invalid x-lab-status: "100" is not a number from 200 to 599`},
		"bad gRPC status":     {headers: map[string]string{HeaderGRPCStatus: "17"}, err: `invalid x-lab-grpc-status: "17" is not a number from 0 to 16`},
		"bad close":           {headers: map[string]string{HeaderClose: "yes"}, err: `invalid x-lab-close: "yes" is not a number from 1 to 1000000`},
		"bad response header": {headers: map[string]string{HeaderRespond: "a"}, err: `invalid x-lab-respond: "a" is not name=value`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			headers := map[string][]string{}
			for name, value := range test.headers {
				headers[name] = []string{value}
			}
			got, err := readOrders(headers, test.arrival)
			if test.err != "" {
				if err == nil || err.Error() != test.err {
					t.Fatalf("error %v, want %s", err, test.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(orders{}, header{})); diff != "" {
				t.Errorf("orders (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	var m memory
	add := func(id string) int {
		s := Seen{ID: id}
		m.add(&s)
		return s.Count
	}
	for want := 1; want <= 3; want++ {
		if got := add("old"); got != want {
			t.Fatalf("count %d, want %d", got, want)
		}
	}
	for i := range remembered - 1 {
		add(fmt.Sprint(i))
	}
	// One of the three is kept, and the count goes on.
	want := []Seen{{ID: "old", Count: 3}}
	if diff := cmp.Diff(want, m.get("old")); diff != "" {
		t.Errorf("remembered (-want +got):\n%s", diff)
	}
	if got := add("old"); got != 4 {
		t.Errorf("count %d, want 4", got)
	}
	if diff := cmp.Diff([]Seen{{ID: "old", Count: 4}}, m.get("old")); diff != "" {
		t.Errorf("remembered (-want +got):\n%s", diff)
	}
	for i := range remembered {
		add(fmt.Sprint("new", i))
	}
	if got := m.get("old"); len(got) != 0 {
		t.Errorf("remembered %v, want nothing", got)
	}
	if got := len(m.ids); got != remembered {
		t.Errorf("%d IDs are counted, want %d", got, remembered)
	}
	if got := add("old"); got != 1 {
		t.Errorf("count of a forgotten ID %d, want 1", got)
	}
	m.clear()
	if got := add("old"); got != 1 {
		t.Errorf("count after clearing %d, want 1", got)
	}
	if got := add(""); got != 0 {
		t.Errorf("count without an ID %d, want 0", got)
	}
}

func TestMemoryKeepsTheOrder(t *testing.T) {
	t.Parallel()
	var m memory
	for i := range remembered + 3 {
		m.add(&Seen{ID: "a", Line: fmt.Sprint(i)})
	}
	got := m.get("a")
	if len(got) != remembered || got[0].Line != "3" || got[remembered-1].Line != fmt.Sprint(remembered+2) {
		t.Errorf("%d requests from %s to %s", len(got), got[0].Line, got[len(got)-1].Line)
	}
}
