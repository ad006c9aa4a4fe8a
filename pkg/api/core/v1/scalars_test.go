package v1_test

import (
	"encoding/json"
	"testing"
	"time"

	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

func TestInt64(t *testing.T) {
	tests := []struct {
		text string
		want core.Int64
		bad  bool
	}{
		{`7`, 7, false},
		{`"7"`, 7, false},
		{`-9223372036854775808`, -1 << 63, false},
		{`"9223372036854775807"`, 1<<63 - 1, false},
		{`null`, 0, false},
		{`"9223372036854775808"`, 0, true},
		{`"seven"`, 0, true},
		{`""`, 0, true},
		{`1.5`, 0, true},
		{`true`, 0, true},
		{`{}`, 0, true},
	}
	for _, test := range tests {
		var got core.Int64
		err := json.Unmarshal([]byte(test.text), &got)
		if got != test.want || (err != nil) != test.bad {
			t.Errorf("%s is read as %d, %v", test.text, got, err)
		}
	}
	if text, err := json.Marshal(core.Int64(7)); string(text) != "7" || err != nil {
		t.Errorf("7 is written as %s, %v", text, err)
	}
}

func TestDuration(t *testing.T) {
	tests := []struct {
		text string
		want time.Duration
	}{
		{`"10s"`, 10 * time.Second},
		{`"150ms"`, 150 * time.Millisecond},
		{`"1m30s"`, 90 * time.Second},
		{`"1.5s"`, 1500 * time.Millisecond},
		{`"3600s"`, time.Hour},
	}
	for _, test := range tests {
		var got core.Duration
		if err := json.Unmarshal([]byte(test.text), &got); err != nil {
			t.Errorf("%s: %v", test.text, err)
			continue
		}
		if got.Std() != test.want {
			t.Errorf("%s lasts %s", test.text, got.Std())
		}
		if !got.Equal(core.NewDuration(test.want)) || got.Equal(core.NewDuration(test.want+1)) {
			t.Errorf("%s does not compare by its length", test.text)
		}
		if text, err := json.Marshal(got); string(text) != test.text || err != nil {
			t.Errorf("%s is written as %s, %v", test.text, text, err)
		}
	}
	for _, text := range []string{`"10"`, `10`, `"soon"`, `""`, `{}`} {
		var got core.Duration
		if err := json.Unmarshal([]byte(text), &got); err == nil {
			t.Errorf("%s is read as %s", text, got.Std())
		}
	}
	if text, err := json.Marshal(core.NewDuration(90 * time.Second)); string(text) != `"1m30s"` || err != nil {
		t.Errorf("a new duration is written as %s, %v", text, err)
	}
}

func TestGatewayPortsInBothSpellings(t *testing.T) {
	tests := []struct {
		text               string
		reachable, listens uint32
	}{
		{`{"port": 15443, "externalPort": 32001}`, 32001, 15443},
		{`{"destinationPort": 32001, "containerPort": 15443}`, 32001, 15443},
		{`{}`, 0, 0},
	}
	for _, test := range tests {
		var gateway core.AppliedIngressGateway
		if err := json.Unmarshal([]byte(test.text), &gateway); err != nil {
			t.Fatal(err)
		}
		if got := gateway.ReachablePort(); got != test.reachable {
			t.Errorf("%s is reached at %d", test.text, got)
		}
		if got := gateway.ListeningPort(); got != test.listens {
			t.Errorf("%s listens at %d", test.text, got)
		}
	}
}
