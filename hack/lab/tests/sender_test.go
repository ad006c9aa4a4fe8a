//go:build linux

package tests

import (
	"context"
	"strings"

	"github.com/meshctl/meshctl/hack/lab/client"
	"github.com/meshctl/meshctl/hack/lab/echo"
	"github.com/meshctl/meshctl/hack/lab/judge"
	"github.com/meshctl/meshctl/hack/lab/mesh"
)

// sender sends the requests of the comparison from pods of the lab.
type sender struct{ lab *mesh.Lab }

func (s sender) Send(ctx context.Context, from judge.WorkloadRef, request client.Request, n int, fresh bool) ([]client.Outcome, error) {
	pod, err := s.lab.Pod(from.Cluster, from.Namespace, from.Name)
	if err != nil {
		return nil, err
	}
	return mesh.Client(pod).SendMany(ctx, request, client.Load{Count: n, Fresh: fresh, GiveUp: 4}), nil
}

func (s sender) SeenBy(_ context.Context, id string) ([]echo.Seen, error) {
	return s.lab.SeenBy(id), nil
}

func (s sender) ResponseFlags(_ context.Context, from judge.WorkloadRef, id string) (string, error) {
	pod, err := s.lab.Pod(from.Cluster, from.Namespace, from.Name)
	if err != nil || !pod.HasProxy() {
		return "", err
	}
	entries, err := mesh.AccessLog(pod, id)
	if err != nil {
		return "", err
	}
	var flags []string
	for _, entry := range entries {
		flags = append(flags, strings.TrimSpace(entry.Flags+" "+entry.Details+" "+entry.Failure))
	}
	return strings.Join(flags, "; "), nil
}
