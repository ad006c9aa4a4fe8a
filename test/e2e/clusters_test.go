//go:build e2e && unix

package e2e

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/meshctl/meshctl/test/e2e/clustertest"
)

// clientset returns a client for the credentials.
func clientset(t *testing.T, config *rest.Config) kubernetes.Interface {
	t.Helper()
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// namespace creates a namespace with the name, which is deleted after the test.
func namespace(t *testing.T, client kubernetes.Interface, name string) {
	t.Helper()
	object := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if _, err := client.CoreV1().Namespaces().Create(t.Context(), object, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := client.CoreV1().Namespaces().Delete(ctx, name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
			t.Errorf("delete namespace %s: %v", name, err)
		}
	})
}

func TestContextsReachTheirClusters(t *testing.T) {
	t.Parallel()
	uids := map[string]string{}
	for _, name := range []string{clustertest.Management, clustertest.East, clustertest.West} {
		config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(
			&clientcmd.ClientConfigLoadingRules{ExplicitPath: shared.kubeconfig},
			&clientcmd.ConfigOverrides{CurrentContext: name},
		).ClientConfig()
		if err != nil {
			t.Fatal(err)
		}
		client := clientset(t, config)
		version, err := client.Discovery().ServerVersion()
		if err != nil {
			t.Fatal(err)
		}
		if want := "v1.36.3"; version.GitVersion != want {
			t.Errorf("%s runs %s, want %s", name, version.GitVersion, want)
		}
		system, err := client.CoreV1().Namespaces().Get(t.Context(), metav1.NamespaceSystem, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if other, found := uids[string(system.UID)]; found {
			t.Errorf("%s and %s are the same cluster", name, other)
		}
		uids[string(system.UID)] = name
	}
}

func TestUsersMayDoWhatTheyAreGranted(t *testing.T) {
	t.Parallel()
	east := cluster(t, clustertest.East)
	stranger, err := east.AddUser("stranger")
	if err != nil {
		t.Fatal(err)
	}
	reader, err := east.AddReadOnlyUser(t.Context(), "reader", "example.com")
	if err != nil {
		t.Fatal(err)
	}
	west := cluster(t, clustertest.West)
	intruder := east.Admin().Config()
	intruder.Host, intruder.CAData = west.Server, west.Admin().Config().CAData

	listPods := func(client kubernetes.Interface) error {
		_, err := client.CoreV1().Pods("").List(t.Context(), metav1.ListOptions{})
		return err
	}
	listSecrets := func(client kubernetes.Interface) error {
		_, err := client.CoreV1().Secrets("").List(t.Context(), metav1.ListOptions{})
		return err
	}
	createConfigMap := func(client kubernetes.Interface) error {
		object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{GenerateName: "granted-"}}
		_, err := client.CoreV1().ConfigMaps(metav1.NamespaceDefault).Create(t.Context(), object, metav1.CreateOptions{})
		return err
	}
	tests := map[string]struct {
		config *rest.Config
		do     func(kubernetes.Interface) error
		denied func(error) bool // nil: it is allowed
	}{
		"the administrator reads":          {config: east.Admin().Config(), do: listPods},
		"the administrator writes":         {config: east.Admin().Config(), do: createConfigMap},
		"a reader reads":                   {config: reader.Config(), do: listPods},
		"a reader does not see secrets":    {config: reader.Config(), do: listSecrets, denied: apierrors.IsForbidden},
		"a reader does not write":          {config: reader.Config(), do: createConfigMap, denied: apierrors.IsForbidden},
		"a stranger does not read":         {config: stranger.Config(), do: listPods, denied: apierrors.IsForbidden},
		"another cluster's user is no one": {config: intruder, do: listPods, denied: apierrors.IsUnauthorized},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := tt.do(clientset(t, tt.config))
			switch {
			case tt.denied == nil && err != nil:
				t.Error(err)
			case tt.denied != nil && !tt.denied(err):
				t.Errorf("got error %v, want a denial", err)
			}
		})
	}
}

func TestTokenSecretIsFilledIn(t *testing.T) {
	t.Parallel()
	const name = "token-secret"
	east := cluster(t, clustertest.East)
	client := clientset(t, east.Admin().Config())
	namespace(t, client, name)
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if _, err := client.CoreV1().ServiceAccounts(name).Create(t.Context(), account, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: map[string]string{corev1.ServiceAccountNameKey: name}},
		Type:       corev1.SecretTypeServiceAccountToken,
	}
	if _, err := client.CoreV1().Secrets(name).Create(t.Context(), secret, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := clustertest.Eventually(t.Context(), patience, func(ctx context.Context) (err error) {
		if secret, err = client.CoreV1().Secrets(name).Get(ctx, name, metav1.GetOptions{}); err != nil {
			return err
		}
		if len(secret.Data[corev1.ServiceAccountTokenKey]) == 0 || len(secret.Data[corev1.ServiceAccountRootCAKey]) == 0 {
			return errors.New("the token or the CA is missing")
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}

	// The API server knows the bearer, who has no rights.
	bearer := clientset(t, &rest.Config{
		Host:            east.Server,
		BearerToken:     string(secret.Data[corev1.ServiceAccountTokenKey]),
		TLSClientConfig: rest.TLSClientConfig{CAData: secret.Data[corev1.ServiceAccountRootCAKey]},
	})
	_, err := bearer.CoreV1().Pods(name).List(t.Context(), metav1.ListOptions{})
	if want := "system:serviceaccount:" + name + ":" + name; !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), want) {
		t.Errorf("got error %v, want %s to be forbidden", err, want)
	}
}

func TestNamespacesAreDeletedWithTheirObjects(t *testing.T) {
	t.Parallel()
	const name = "short-lived"
	client := clientset(t, cluster(t, clustertest.West).Admin().Config())
	namespace(t, client, name)
	object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if _, err := client.CoreV1().ConfigMaps(name).Create(t.Context(), object, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := client.CoreV1().Namespaces().Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := clustertest.Eventually(t.Context(), patience, func(ctx context.Context) error {
		_, err := client.CoreV1().Namespaces().Get(ctx, name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		return fmt.Errorf("the namespace is still there: %w", err)
	}); err != nil {
		t.Fatal(err)
	}
}

func TestAPIServerComesAndGoes(t *testing.T) {
	t.Parallel()
	mortal := newCluster(t, "mortal")
	config := mortal.Admin().Config()
	config.Timeout = time.Second
	get := func() error {
		_, err := clientset(t, config).CoreV1().Namespaces().Get(t.Context(), "survivor", metav1.GetOptions{})
		return err
	}
	namespace(t, clientset(t, config), "survivor")

	if err := mortal.PauseAPIServer(); err != nil {
		t.Fatal(err)
	}
	if err := get(); err == nil {
		t.Error("a paused API server answers")
	}
	if err := mortal.ResumeAPIServer(); err != nil {
		t.Fatal(err)
	}
	if err := clustertest.Eventually(t.Context(), patience, func(context.Context) error { return get() }); err != nil {
		t.Errorf("a resumed API server does not answer: %v", err)
	}

	mortal.StopAPIServer()
	if err := get(); err == nil {
		t.Error("a stopped API server answers")
	}
	if err := mortal.PauseAPIServer(); err == nil {
		t.Error("a stopped API server can be paused")
	}
	if err := mortal.StartAPIServer(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := get(); err != nil {
		t.Errorf("the namespace is lost: %v", err)
	}
}

func TestWorkloadsBecomeReady(t *testing.T) {
	t.Parallel()
	const name = "restless"
	workshop := newCluster(t, "workshop")
	if err := workshop.AddNodes(t.Context(), "node-1"); err != nil {
		t.Fatal(err)
	}
	client := clientset(t, workshop.Admin().Config())
	namespace(t, client, name)
	labels := map[string]string{"app": name}
	replicas := int32(2)
	deployment := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas,
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{
					Containers: []corev1.Container{{Name: name, Image: "example.com/" + name}},
				},
			},
		},
	}
	deployment, err := client.AppsV1().Deployments(name).Create(t.Context(), deployment, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	becomesReady := func(generation int64) {
		t.Helper()
		if err := clustertest.Eventually(t.Context(), patience, func(ctx context.Context) error {
			deployment, err = client.AppsV1().Deployments(name).Get(ctx, name, metav1.GetOptions{})
			if err != nil {
				return err
			}
			status := deployment.Status
			if status.ObservedGeneration < generation || status.UpdatedReplicas != replicas || status.AvailableReplicas != replicas || status.Replicas != replicas {
				return fmt.Errorf("not rolled out: %+v", status)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	becomesReady(deployment.Generation)

	deployment.Spec.Template.Annotations = map[string]string{"restarted": "once"}
	deployment, err = client.AppsV1().Deployments(name).Update(t.Context(), deployment, metav1.UpdateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	becomesReady(deployment.Generation)
}

func TestMeshctlRuns(t *testing.T) {
	t.Parallel()
	got := meshctl(t, "version", "--client")
	if got.code != 0 || got.stdout == "" {
		t.Errorf("got %+v, want an answer", got)
	}
	got = meshctlWith(t, kubeconfigOf(t, nil), "", "no-such-command")
	if got.code != 2 || got.stdout != "" || got.stderr == "" {
		t.Errorf("got %+v, want a usage error", got)
	}
}
