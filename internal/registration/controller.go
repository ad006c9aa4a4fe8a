package registration

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/meshctl/meshctl/internal/kube"
)

// ControllerName is the name of the controller's Deployment, of all objects that belong to it,
// and of its Lease.
const ControllerName = "meshctl-controller"

// ControllerHealthPort is the port of the controller's probes.
const ControllerHealthPort = 8081

// ControllerOptions configure the controller, which runs meshctl in the management cluster.
type ControllerOptions struct {
	// Namespace is the namespace of meshctl's resources.
	Namespace string
	// Image is the container image with meshctl as its entry point.
	Image string
	// Replicas is the number of pods. Only one of them is active; the others are on standby.
	Replicas int32
}

// ControllerObjects returns the Deployment that runs `meshctl apply --watch` in the management
// cluster and the objects that it needs, in the order of writing. It has only the permissions
// it needs: to read meshctl's resources, update their status, read the Secrets with the
// credentials of registered clusters, and hold its Lease.
func ControllerObjects(opts ControllerOptions) []*unstructured.Unstructured {
	meta := func(namespace string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Name: ControllerName, Namespace: namespace, Labels: kube.OwnLabels()}
	}
	kind := func(version schema.GroupVersion, kind string) metav1.TypeMeta {
		return metav1.TypeMeta{APIVersion: version.String(), Kind: kind}
	}
	rbac := rbacv1.SchemeGroupVersion
	subjects := []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: ControllerName, Namespace: opts.Namespace}}
	role := func(kind string) rbacv1.RoleRef {
		return rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: kind, Name: ControllerName}
	}
	objects := []runtime.Object{
		&corev1.ServiceAccount{TypeMeta: kind(corev1.SchemeGroupVersion, "ServiceAccount"), ObjectMeta: meta(opts.Namespace)},
		&rbacv1.ClusterRole{TypeMeta: kind(rbac, "ClusterRole"), ObjectMeta: meta(""), Rules: controllerClusterRules(opts.Namespace)},
		&rbacv1.ClusterRoleBinding{TypeMeta: kind(rbac, "ClusterRoleBinding"), ObjectMeta: meta(""), Subjects: subjects, RoleRef: role("ClusterRole")},
		&rbacv1.Role{TypeMeta: kind(rbac, "Role"), ObjectMeta: meta(opts.Namespace), Rules: controllerRules()},
		&rbacv1.RoleBinding{TypeMeta: kind(rbac, "RoleBinding"), ObjectMeta: meta(opts.Namespace), Subjects: subjects, RoleRef: role("Role")},
		&appsv1.Deployment{TypeMeta: kind(appsv1.SchemeGroupVersion, "Deployment"), ObjectMeta: meta(opts.Namespace), Spec: controllerSpec(opts)},
	}
	made := make([]*unstructured.Unstructured, 0, len(objects))
	for _, object := range objects {
		u := toUnstructured(object)
		unstructured.RemoveNestedField(u.Object, "spec", "template", "metadata", "creationTimestamp")
		made = append(made, u)
	}
	return made
}

// controllerClusterRules are the permissions for meshctl's resources, which may be in any
// namespace.
func controllerClusterRules(namespace string) []rbacv1.PolicyRule {
	read := []string{"get", "list", "watch"}
	policies := []string{"accesspolicies", "trafficpolicies", "virtualmeshes"}
	discovered := []string{"destinations", "meshes", "workloads"}
	return []rbacv1.PolicyRule{
		{APIGroups: []string{"networking.mesh.gloo.solo.io"}, Resources: policies, Verbs: read},
		{APIGroups: []string{"networking.mesh.gloo.solo.io"}, Resources: withStatus(policies), Verbs: []string{"update"}},
		{APIGroups: []string{"discovery.mesh.gloo.solo.io"}, Resources: discovered, Verbs: read},
		{APIGroups: []string{"discovery.mesh.gloo.solo.io"}, Resources: withStatus([]string{"destinations", "meshes"}), Verbs: []string{"update"}},
		{APIGroups: []string{"settings.mesh.gloo.solo.io"}, Resources: []string{"settings"}, Verbs: read},
		{APIGroups: []string{"multicluster.solo.io"}, Resources: []string{"kubernetesclusters"}, Verbs: read},
		{APIGroups: []string{""}, Resources: []string{"namespaces"}, ResourceNames: []string{namespace}, Verbs: []string{"get"}},
	}
}

// controllerRules are the permissions in the namespace of meshctl's resources. RBAC cannot
// restrict access to a type of Secret, so no other Secrets should be stored in this namespace.
func controllerRules() []rbacv1.PolicyRule {
	const coordination = "coordination.k8s.io"
	return []rbacv1.PolicyRule{
		{APIGroups: []string{""}, Resources: []string{"secrets"}, Verbs: []string{"get"}},
		{APIGroups: []string{coordination}, Resources: []string{"leases"}, Verbs: []string{"create"}},
		{APIGroups: []string{coordination}, Resources: []string{"leases"}, ResourceNames: []string{ControllerName}, Verbs: []string{"get", "update"}},
	}
}

func controllerSpec(opts ControllerOptions) appsv1.DeploymentSpec {
	const user = 65532 // user of the image
	labels := map[string]string{"app.kubernetes.io/name": ControllerName}
	probe := func(path string) *corev1.Probe {
		return &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: path, Port: intstr.FromString("health")}}}
	}
	return appsv1.DeploymentSpec{
		Replicas: new(opts.Replicas),
		Selector: &metav1.LabelSelector{MatchLabels: labels},
		Template: corev1.PodTemplateSpec{
			ObjectMeta: metav1.ObjectMeta{Labels: labels},
			Spec: corev1.PodSpec{
				ServiceAccountName: ControllerName,
				SecurityContext: &corev1.PodSecurityContext{
					RunAsNonRoot: new(true), RunAsUser: new(int64(user)), RunAsGroup: new(int64(user)),
					SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
				},
				Containers: []corev1.Container{{
					Name: "meshctl", Image: opts.Image,
					Args: []string{
						"apply", "--watch", "--namespace=" + opts.Namespace, fmt.Sprintf("--health-address=:%d", ControllerHealthPort),
					},
					Env:            []corev1.EnvVar{{Name: "HOME", Value: "/"}},
					Ports:          []corev1.ContainerPort{{Name: "health", ContainerPort: ControllerHealthPort}},
					LivenessProbe:  probe("/healthz"),
					ReadinessProbe: probe("/readyz"),
					Resources: corev1.ResourceRequirements{
						Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("50m"), corev1.ResourceMemory: resource.MustParse("128Mi")},
						Limits:   corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("1Gi")},
					},
					SecurityContext: &corev1.SecurityContext{
						AllowPrivilegeEscalation: new(false), ReadOnlyRootFilesystem: new(true),
						Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
					},
				}},
			},
		},
	}
}

// controllerPermissions returns the permissions needed to write the ControllerObjects.
func controllerPermissions(namespace string) []kube.Permission {
	const rbac = "rbac.authorization.k8s.io"
	var needed []kube.Permission
	for _, p := range []kube.Permission{
		{Resource: "serviceaccounts", Namespace: namespace},
		{Group: "apps", Resource: "deployments", Namespace: namespace},
		{Group: rbac, Resource: "roles", Namespace: namespace},
		{Group: rbac, Resource: "rolebindings", Namespace: namespace},
		{Group: rbac, Resource: "clusterrolebindings"},
	} {
		needed = append(needed, kube.PermissionsFor(p, "get", "create", "patch")...)
	}
	return needed
}
