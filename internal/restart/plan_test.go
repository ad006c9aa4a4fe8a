package restart

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// noon is when the CA of the mesh in these tests changed.
func noon() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// at returns the time that many minutes after noon.
func at(minutes int) metav1.Time {
	return metav1.NewTime(noon().Add(time.Duration(minutes) * time.Minute))
}

// shop builds the facts of a cluster with one mesh.
type shop struct{ Facts }

func newShop() *shop {
	s := &shop{Facts{Cluster: "east", Meshes: []MeshFacts{{
		Name: "mesh", Namespace: "gloo-mesh", InstallationNamespace: "istio-system",
		ControlPlane: Ref{kindDeployment, "istio-system", "istiod"}, TrustChanged: noon(),
	}}}}
	return s
}

func meta(namespace, name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID("uid-of-" + name)}
}

func template(name string) corev1.PodTemplateSpec {
	return corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": name}}}
}

// deployment adds a healthy Deployment with a ReplicaSet and pods of the given ages. The pods
// are members of the mesh, except those of the control plane.
func (s *shop) deployment(namespace, name string, created ...int) *appsv1.Deployment {
	replicas := int32(len(created))
	d := appsv1.Deployment{ObjectMeta: meta(namespace, name), Spec: appsv1.DeploymentSpec{Replicas: &replicas, Template: template(name)}}
	d.Status = appsv1.DeploymentStatus{Replicas: replicas, UpdatedReplicas: replicas, AvailableReplicas: replicas}
	s.Deployments = append(s.Deployments, d)
	set := s.replicaSet(Ref{kindDeployment, namespace, name}, name+"-1", -100)
	for i, minutes := range created {
		s.pod(Ref{"ReplicaSet", namespace, set}, fmt.Sprintf("%s-%d", name, i), minutes)
		if name != "istiod" {
			s.member(Ref{kindDeployment, namespace, name}, fmt.Sprintf("%s-%d", name, i))
		}
	}
	return &s.Deployments[len(s.Deployments)-1]
}

func (s *shop) replicaSet(owner Ref, name string, created int) string {
	set := appsv1.ReplicaSet{ObjectMeta: meta(owner.Namespace, name)}
	set.CreationTimestamp, set.OwnerReferences = at(created), ownedBy(owner)
	s.ReplicaSets = append(s.ReplicaSets, set)
	return name
}

func ownedBy(owner Ref) []metav1.OwnerReference {
	controls := true
	return []metav1.OwnerReference{{Kind: owner.Kind, Name: owner.Name, Controller: &controls}}
}

func (s *shop) pod(owner Ref, name string, created int) *corev1.Pod {
	pod := corev1.Pod{ObjectMeta: meta(owner.Namespace, name)}
	pod.CreationTimestamp = at(created)
	if owner.Kind != "Pod" {
		pod.OwnerReferences = ownedBy(owner)
	}
	s.Pods = append(s.Pods, pod)
	return &s.Pods[len(s.Pods)-1]
}

func (s *shop) member(owner Ref, name string) {
	m := Member{Namespace: owner.Namespace, Name: name, Owner: owner}
	if owner.Kind == "Pod" {
		m.Owner = Ref{}
	}
	m.Gateway = owner.Namespace == "gateways"
	s.Meshes[0].Members = append(s.Meshes[0].Members, m)
}

// planText returns a plan as lines: STAGE REF PODS(OLDER) ACTION CODES, then notes.
func planText(p Plan) []string {
	lines := []string{}
	for i := range p.Items {
		item := &p.Items[i]
		var codes []string
		for _, r := range item.Reasons {
			codes = append(codes, string(r.Code))
		}
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s %s %d(%d) %s %s", item.Stage, item.Ref, item.Pods, item.OlderPods, item.Action, strings.Join(codes, ","))))
		for _, note := range item.Notes {
			lines = append(lines, "  "+note)
		}
	}
	for _, note := range p.Notes {
		lines = append(lines, "note: "+note)
	}
	return lines
}

// expect plans and compares the result, also with the facts in other orders.
func (s *shop) expect(t *testing.T, opts PlanOptions, want ...string) {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	for range 3 {
		plan, err := NewPlan(&s.Facts, "mesh", "gloo-mesh", opts)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, planText(plan)); diff != "" {
			t.Fatalf("plan (-want +got):\n%s", diff)
		}
		random.Shuffle(len(s.Pods), func(i, j int) { s.Pods[i], s.Pods[j] = s.Pods[j], s.Pods[i] })
		random.Shuffle(len(s.ReplicaSets), func(i, j int) { s.ReplicaSets[i], s.ReplicaSets[j] = s.ReplicaSets[j], s.ReplicaSets[i] })
		random.Shuffle(len(s.Deployments), func(i, j int) { s.Deployments[i], s.Deployments[j] = s.Deployments[j], s.Deployments[i] })
		members := s.Meshes[0].Members
		random.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
	}
}

func TestWhoNeedsARestart(t *testing.T) {
	t.Parallel()
	t.Run("no workload that is younger than the CA", func(t *testing.T) {
		t.Parallel()
		s := newShop()
		s.deployment("istio-system", "istiod", 1)
		s.deployment("shop", "web", 2, 3)
		s.expect(t, PlanOptions{}, "control-plane deployment/istiod.istio-system 1(0) none", "workloads deployment/web.shop 2(0) none")
	})
	t.Run("older workloads, gateways first", func(t *testing.T) {
		t.Parallel()
		s := newShop()
		s.deployment("shop", "web", -2, 3)
		s.deployment("gateways", "ingress", -1)
		s.deployment("istio-system", "istiod", 1)
		s.expect(t, PlanOptions{},
			"control-plane deployment/istiod.istio-system 1(0) none",
			"gateways deployment/ingress.gateways 1(1) restart older-than-ca",
			"workloads deployment/web.shop 2(1) restart older-than-ca")
	})
	t.Run("all workloads if the control plane is outdated", func(t *testing.T) {
		t.Parallel()
		s := newShop()
		s.deployment("istio-system", "istiod", -1, 1)
		s.deployment("shop", "web", 2)
		s.expect(t, PlanOptions{},
			"control-plane deployment/istiod.istio-system 2(1) restart older-than-ca",
			"workloads deployment/web.shop 1(0) restart control-plane-older-than-ca")
	})
	t.Run("workloads started before the control plane was restarted", func(t *testing.T) {
		t.Parallel()
		s := newShop()
		s.deployment("istio-system", "istiod", 6)
		s.replicaSet(Ref{kindDeployment, "istio-system", "istiod"}, "istiod-2", 5)
		s.replicaSet(Ref{kindDeployment, "istio-system", "istiod"}, "istiod-3", 50)
		s.deployment("shop", "early", 4)
		s.deployment("shop", "late", 7)
		s.expect(t, PlanOptions{},
			"control-plane deployment/istiod.istio-system 1(0) none",
			"workloads deployment/early.shop 1(1) restart older-than-ca",
			"workloads deployment/late.shop 1(0) none")
	})
	t.Run("no workload if the control plane was restarted for another reason and its history is short", func(t *testing.T) {
		t.Parallel()
		s := newShop()
		s.deployment("istio-system", "istiod", 60)
		s.ReplicaSets[0].CreationTimestamp = at(59)
		s.deployment("shop", "web", 4)
		s.expect(t, PlanOptions{}, "control-plane deployment/istiod.istio-system 1(0) none", "workloads deployment/web.shop 1(0) none")
	})
	t.Run("workloads created in the same second", func(t *testing.T) {
		t.Parallel()
		s := newShop()
		s.deployment("shop", "web", 0)
		s.expect(t, PlanOptions{}, "control-plane deployment/istiod.istio-system 0(0) none", "workloads deployment/web.shop 1(1) restart older-than-ca")
	})
	t.Run("no pod that has ended or is terminating", func(t *testing.T) {
		t.Parallel()
		s := newShop()
		s.deployment("shop", "web", 1, -1, -1, -1)
		now := at(1)
		s.Pods[1].DeletionTimestamp = &now
		s.Pods[2].Status.Phase = corev1.PodFailed
		s.Pods[3].Status.Phase = corev1.PodSucceeded
		s.expect(t, PlanOptions{}, "control-plane deployment/istiod.istio-system 0(0) none", "workloads deployment/web.shop 1(0) none")
	})
	t.Run("not known without a Secret", func(t *testing.T) {
		t.Parallel()
		s := newShop()
		s.Meshes[0].TrustChanged = time.Time{}
		s.deployment("istio-system", "istiod", -1)
		s.deployment("shop", "web", -1)
		const note = "note: no Secret cacerts in namespace istio-system: the control plane uses its own CA, so outdated certificates cannot be detected"
		s.expect(t, PlanOptions{}, "control-plane deployment/istiod.istio-system 1(0) none", "workloads deployment/web.shop 1(0) none", note)
		s.expect(t, PlanOptions{AllWorkloads: true}, "control-plane deployment/istiod.istio-system 1(0) restart requested", "workloads deployment/web.shop 1(0) restart requested", note)
	})
	t.Run("all workloads if requested", func(t *testing.T) {
		t.Parallel()
		s := newShop()
		s.deployment("istio-system", "istiod", 1)
		s.deployment("shop", "web", 2, -2)
		s.expect(t, PlanOptions{AllWorkloads: true},
			"control-plane deployment/istiod.istio-system 1(0) restart requested", "workloads deployment/web.shop 2(1) restart older-than-ca,requested")
	})
	t.Run("the namespaces that the caller names", func(t *testing.T) {
		t.Parallel()
		s := newShop()
		s.deployment("istio-system", "istiod", 1)
		s.deployment("bank", "web", 1)
		s.deployment("shop", "web", 1)
		s.expect(t, PlanOptions{Namespaces: map[string][]string{"bank": {"its root is older"}, "istio-system": {"no"}}},
			"control-plane deployment/istiod.istio-system 1(0) none", "workloads deployment/web.bank 1(0) restart namespace", "workloads deployment/web.shop 1(0) none")
	})
	t.Run("an unreadable CA is an error", func(t *testing.T) {
		t.Parallel()
		s := newShop()
		s.Meshes[0].TrustChanged, s.Meshes[0].TrustErr = time.Time{}, errors.New("forbidden")
		s.deployment("istio-system", "istiod", 1)
		if _, err := NewPlan(&s.Facts, "mesh", "gloo-mesh", PlanOptions{}); err == nil || !strings.Contains(err.Error(), "cannot determine which workloads of mesh mesh.gloo-mesh need a restart: forbidden") {
			t.Errorf("got %v", err)
		}
		s.expect(t, PlanOptions{AllWorkloads: true}, "control-plane deployment/istiod.istio-system 1(0) restart requested")
		if _, err := NewPlan(&s.Facts, "other", "gloo-mesh", PlanOptions{}); err == nil {
			t.Error("an unknown mesh is planned")
		}
	})
}

func TestFilters(t *testing.T) {
	t.Parallel()
	s := newShop()
	s.deployment("istio-system", "istiod", -1)
	s.deployment("gateways", "ingress", -1)
	s.deployment("bank", "web", -1)
	s.deployment("shop", "web", -1)
	s.deployment("shop", "db", -1)
	const left = "note: the control plane deployment/istiod.istio-system is older than its CA and not part of this restart: proxies may get outdated certificates again"
	const istiod = "control-plane deployment/istiod.istio-system 1(1) restart older-than-ca"
	const ingress = "gateways deployment/ingress.gateways 1(1) restart older-than-ca"
	const bank = "workloads deployment/web.bank 1(1) restart older-than-ca"
	const db = "workloads deployment/db.shop 1(1) restart older-than-ca"
	const web = "workloads deployment/web.shop 1(1) restart older-than-ca"
	s.expect(t, PlanOptions{Within: []string{"shop"}}, db, web, left)
	s.expect(t, PlanOptions{Selector: labels.SelectorFromSet(labels.Set{"app": "web"})}, bank, web, left)
	s.expect(t, PlanOptions{Exclude: []string{"web"}}, istiod, ingress, db)
	s.expect(t, PlanOptions{Exclude: []string{"deployment/web.shop"}}, istiod, ingress, bank, db)
	s.expect(t, PlanOptions{Exclude: []string{"web.shop.east", "istiod"}}, ingress, bank, db, left)
	s.expect(t, PlanOptions{Exclude: []string{"statefulset/web", "web.shop.west"}}, istiod, ingress, bank, db, web)

	opts := PlanOptions{Within: []string{"shop", "shpo"}, Exclude: []string{"web", "daemonset/web", "dba"}}
	plan, err := NewPlan(&s.Facts, "mesh", "gloo-mesh", opts)
	if err != nil {
		t.Fatal(err)
	}
	want := `no workload of these meshes in namespace "shpo"; did you mean shop?
no workload of these meshes is named "daemonset/web"
no workload of these meshes is named "dba"; did you mean db?`
	if err := CheckFilters([]Plan{plan}, opts); err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

func TestProspects(t *testing.T) {
	t.Parallel()
	number := func(text string) *intstr.IntOrString { value := intstr.Parse(text); return &value }
	deployment := func(replicas int, change func(*appsv1.Deployment)) func(*shop) {
		return func(s *shop) {
			change(s.deployment("shop", "web", slices.Repeat([]int{-1}, replicas)...))
		}
	}
	rolling := func(unavailable, surge string) func(*appsv1.Deployment) {
		return func(d *appsv1.Deployment) {
			d.Spec.Strategy.RollingUpdate = &appsv1.RollingUpdateDeployment{MaxUnavailable: number(unavailable), MaxSurge: number(surge)}
		}
	}
	statefulSet := func(replicas int, change func(*appsv1.StatefulSet)) func(*shop) {
		return func(s *shop) {
			n := int32(replicas)
			set := appsv1.StatefulSet{ObjectMeta: meta("shop", "db"), Spec: appsv1.StatefulSetSpec{Replicas: &n, Template: template("db")}}
			set.Status.ReadyReplicas = n
			change(&set)
			s.StatefulSets = append(s.StatefulSets, set)
			for i := range max(replicas, 1) {
				name := fmt.Sprintf("db-%d", i)
				s.pod(Ref{kindStatefulSet, "shop", "db"}, name, -1)
				s.member(Ref{kindStatefulSet, "shop", "db"}, name)
			}
		}
	}
	partition := func(ordinal int32) func(*appsv1.StatefulSet) {
		return func(s *appsv1.StatefulSet) {
			s.Spec.UpdateStrategy.RollingUpdate = &appsv1.RollingUpdateStatefulSetStrategy{Partition: &ordinal}
		}
	}
	daemonSet := func(change func(*appsv1.DaemonSet)) func(*shop) {
		return func(s *shop) {
			set := appsv1.DaemonSet{ObjectMeta: meta("shop", "agent"), Spec: appsv1.DaemonSetSpec{Template: template("agent")}}
			set.Status = appsv1.DaemonSetStatus{DesiredNumberScheduled: 10, NumberAvailable: 10}
			change(&set)
			s.DaemonSets = append(s.DaemonSets, set)
			s.pod(Ref{kindDaemonSet, "shop", "agent"}, "agent-1", -1)
			s.member(Ref{kindDaemonSet, "shop", "agent"}, "agent-1")
		}
	}
	owned := func(kind string) func(*shop) {
		return func(s *shop) {
			owner := Ref{kind, "shop", "one"}
			s.pod(owner, "one", -1)
			s.member(owner, "one")
		}
	}
	tests := map[string]struct {
		prepare func(*shop)
		want    string
		notes   []string
	}{
		"one replica with surge":       {deployment(1, rolling("25%", "25%")), "restart", nil},
		"one replica, nothing said":    {deployment(1, func(*appsv1.Deployment) {}), "restart", nil},
		"one replica without surge":    {deployment(1, rolling("1", "0")), "restart", []string{"short outage: its only pod may stop before the new one is ready"}},
		"neither surge nor less":       {deployment(1, rolling("0%", "0%")), "restart", []string{"short outage: its only pod may stop before the new one is ready"}},
		"two replicas, one at a time":  {deployment(2, rolling("1", "0")), "restart", nil},
		"all replicas at a time":       {deployment(3, rolling("100%", "0")), "restart", []string{"short outage: all 3 pods may be replaced at the same time"}},
		"recreated":                    {deployment(2, func(d *appsv1.Deployment) { d.Spec.Strategy.Type = appsv1.RecreateDeploymentStrategyType }), "restart", []string{"short outage: all its pods stop before new ones start (strategy Recreate)"}},
		"paused":                       {deployment(2, func(d *appsv1.Deployment) { d.Spec.Paused = true }), "manual", []string{"paused: resume its rollout, then restart again"}},
		"scaled to zero":               {deployment(1, func(d *appsv1.Deployment) { *d.Spec.Replicas = 0 }), "none", []string{"it is scaled to zero"}},
		"not well":                     {deployment(2, func(d *appsv1.Deployment) { d.Status.AvailableReplicas = 1 }), "restart", []string{"already unhealthy before the restart: 2 of 2 pods are up to date, 1 available"}},
		"a StatefulSet":                {statefulSet(2, func(*appsv1.StatefulSet) {}), "restart", nil},
		"a StatefulSet of one":         {statefulSet(1, func(*appsv1.StatefulSet) {}), "restart", []string{"short outage: its only pod stops before the new one starts"}},
		"a StatefulSet scaled to zero": {statefulSet(0, func(*appsv1.StatefulSet) {}), "none", []string{"it is scaled to zero"}},
		"a StatefulSet that waits for deletion": {statefulSet(2, func(s *appsv1.StatefulSet) {
			s.Spec.UpdateStrategy.Type = appsv1.OnDeleteStatefulSetStrategyType
		}), "manual", []string{"its strategy is OnDelete: a pod is replaced only when it is deleted; delete them one after the other"}},
		"a StatefulSet in parts":  {statefulSet(3, partition(1)), "restart", []string{"its partition excludes the pods below ordinal 1"}},
		"a StatefulSet held back": {statefulSet(3, partition(3)), "manual", []string{"its partition 3 keeps all pods from being replaced: lower spec.updateStrategy.rollingUpdate.partition, or delete the pods one after the other"}},
		"a StatefulSet not well":  {statefulSet(2, func(s *appsv1.StatefulSet) { s.Status.ReadyReplicas = 1 }), "restart", []string{"already unhealthy before the restart: 1 of 2 pods are ready"}},
		"a DaemonSet":             {daemonSet(func(*appsv1.DaemonSet) {}), "restart", []string{"each node briefly has no pod, 1 node at a time"}},
		"a DaemonSet, many at once": {daemonSet(func(d *appsv1.DaemonSet) {
			d.Spec.UpdateStrategy.RollingUpdate = &appsv1.RollingUpdateDaemonSet{MaxUnavailable: number("25%")}
		}), "restart", []string{"each node briefly has no pod, 3 nodes at a time"}},
		"a DaemonSet with surge": {daemonSet(func(d *appsv1.DaemonSet) {
			d.Spec.UpdateStrategy.RollingUpdate = &appsv1.RollingUpdateDaemonSet{MaxUnavailable: number("0"), MaxSurge: number("1")}
		}), "restart", nil},
		"a DaemonSet that waits for deletion": {daemonSet(func(d *appsv1.DaemonSet) { d.Spec.UpdateStrategy.Type = appsv1.OnDeleteDaemonSetStrategyType }), "manual", []string{"its strategy is OnDelete: a pod is replaced only when it is deleted; delete them one after the other"}},
		"a bare pod":                          {owned("Pod"), "manual", []string{"no controller recreates this pod: delete it and create it again"}},
		"a Job":                               {owned("Job.batch"), "expire", []string{"its pods run to completion; the next ones start with a new certificate"}},
		"a ReplicaSet":                        {owned("ReplicaSet"), "manual", []string{"it has no Deployment: delete its pods one by one"}},
		"a Rollout":                           {owned("Rollout.argoproj.io"), "manual", []string{"meshctl cannot restart objects of kind Rollout.argoproj.io: use the tool that manages them"}},
		"a budget that is used up": {func(s *shop) {
			s.deployment("shop", "web", -1, -1, -1, -1)
			budget := func(namespace, name, app string, allowed int32) {
				b := policyv1.PodDisruptionBudget{ObjectMeta: meta(namespace, name)}
				b.Spec.Selector = &metav1.LabelSelector{MatchLabels: map[string]string{"app": app}}
				b.Status.DisruptionsAllowed = allowed
				s.Budgets = append(s.Budgets, b)
			}
			budget("shop", "used", "web", 0)
			budget("shop", "free", "web", 1)
			budget("shop", "other", "db", 0)
			budget("bank", "elsewhere", "web", 0)
		}, "restart", []string{"PodDisruptionBudget used currently allows no disruption, but rollouts ignore it: this one removes 1 pod at a time"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop()
			s.Meshes[0].ControlPlane = Ref{}
			tt.prepare(s)
			plan, err := NewPlan(&s.Facts, "mesh", "gloo-mesh", PlanOptions{})
			if err != nil || len(plan.Items) != 1 {
				t.Fatal(plan, err)
			}
			if got := plan.Items[0]; string(got.Action) != tt.want || !slices.Equal(got.Notes, tt.notes) {
				t.Errorf("got %s %q, want %s %q", got.Action, got.Notes, tt.want, tt.notes)
			}
		})
	}
}

func TestGoingOn(t *testing.T) {
	t.Parallel()
	// mark sets the state of the Deployment as if a run had restarted it and had got that far.
	mark := func(d *appsv1.Deployment, restartedAt string, updated int32) {
		d.Spec.Template.Annotations = map[string]string{RestartedAtAnnotation: restartedAt}
		d.Status.UpdatedReplicas = updated
	}
	const earlier, now = "2026-03-01T11:00:00Z", "2026-03-01T12:05:00Z"
	s := newShop()
	s.deployment("istio-system", "istiod", 6)
	s.replicaSet(Ref{kindDeployment, "istio-system", "istiod"}, "istiod-2", 6)
	mark(s.deployment("shop", "begun", -1, 8), now, 1)
	mark(s.deployment("shop", "done", 8, 8), now, 2)
	mark(s.deployment("shop", "stale", -1, -1), now, 2) // restarted by a machine with a wrong clock
	mark(s.deployment("shop", "stuck-before", -1, -1), earlier, 1)
	mark(s.deployment("shop", "given-up", -1, 8), now, 1)
	s.Deployments[5].Status.Conditions = []appsv1.DeploymentCondition{{Type: appsv1.DeploymentProgressing, Reason: "ProgressDeadlineExceeded"}}
	s.deployment("shop", "untouched", -1)
	const waits = `  already being restarted: waiting for its rollout: 1 of 2 replicas updated`
	const unwell = "  already unhealthy before the restart: 1 of 2 pods are up to date, 2 available"
	s.expect(t, PlanOptions{},
		"control-plane deployment/istiod.istio-system 1(0) none",
		"workloads deployment/begun.shop 2(1) wait older-than-ca", waits, unwell,
		"workloads deployment/done.shop 2(0) none",
		"workloads deployment/given-up.shop 2(1) restart older-than-ca", unwell,
		"workloads deployment/stale.shop 2(2) restart older-than-ca",
		"workloads deployment/stuck-before.shop 2(2) restart older-than-ca", unwell,
		"workloads deployment/untouched.shop 1(1) restart older-than-ca")

	s = newShop()
	mark(s.deployment("istio-system", "istiod", 6), now, 1)
	mark(s.deployment("shop", "begun", 7, 8), now, 1)
	mark(s.deployment("shop", "done", 8), now, 1)
	mark(s.deployment("shop", "other", 8), earlier, 1)
	s.expect(t, PlanOptions{AllWorkloads: true, RestartedAt: now},
		"control-plane deployment/istiod.istio-system 1(0) none",
		"workloads deployment/begun.shop 2(0) wait", waits, unwell,
		"workloads deployment/done.shop 1(0) none",
		"workloads deployment/other.shop 1(0) restart requested")
	s.expect(t, PlanOptions{AllWorkloads: true},
		"control-plane deployment/istiod.istio-system 1(0) restart requested",
		"workloads deployment/begun.shop 2(0) restart requested", unwell,
		"workloads deployment/done.shop 1(0) restart requested",
		"workloads deployment/other.shop 1(0) restart requested")
}
