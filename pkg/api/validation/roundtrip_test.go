package validation_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
	multiclusterv1alpha1 "github.com/meshctl/meshctl/pkg/api/multicluster/v1alpha1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
	settingsv1 "github.com/meshctl/meshctl/pkg/api/settings/v1"
	"github.com/meshctl/meshctl/pkg/api/validation"
)

// kindOf is one kind: a new object, and its spec and status inside it.
type kindOf struct {
	object       runtime.Object
	spec, status any
}

func typed() map[string]kindOf {
	vm, tp, ap := &networkingv1.VirtualMesh{}, &networkingv1.TrafficPolicy{}, &networkingv1.AccessPolicy{}
	mesh, workload, destination := &discoveryv1.Mesh{}, &discoveryv1.Workload{}, &discoveryv1.Destination{}
	settings, cluster := &settingsv1.Settings{}, &multiclusterv1alpha1.KubernetesCluster{}
	return map[string]kindOf{
		"VirtualMesh":       {vm, &vm.Spec, &vm.Status},
		"TrafficPolicy":     {tp, &tp.Spec, &tp.Status},
		"AccessPolicy":      {ap, &ap.Spec, &ap.Status},
		"Mesh":              {mesh, &mesh.Spec, &mesh.Status},
		"Workload":          {workload, &workload.Spec, &workload.Status},
		"Destination":       {destination, &destination.Spec, &destination.Status},
		"Settings":          {settings, &settings.Spec, &settings.Status},
		"KubernetesCluster": {cluster, &cluster.Spec, &cluster.Status},
	}
}

// An object with every field of its type survives JSON, both ways that objects
// are decoded, and the schema knows every one of the fields.
func TestEveryFieldRoundTrips(t *testing.T) {
	v := validation.New()
	for kind, k := range typed() {
		t.Run(kind, func(t *testing.T) {
			fill(reflect.ValueOf(k.spec).Elem())
			fill(reflect.ValueOf(k.status).Elem())
			first, err := json.Marshal(k.object)
			if err != nil {
				t.Fatal(err)
			}

			again := reflect.New(reflect.TypeOf(k.object).Elem()).Interface()
			decoder := json.NewDecoder(bytes.NewReader(first))
			decoder.DisallowUnknownFields()
			if err := decoder.Decode(again); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(k.object, again); diff != "" {
				t.Errorf("after encoding and decoding (-want +got):\n%s", diff)
			}

			gvk, manifest := object(t, kind, string(first))
			converted := reflect.New(reflect.TypeOf(k.object).Elem()).Interface()
			if err := runtime.DefaultUnstructuredConverter.FromUnstructured(decode(t, string(first)), converted); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(k.object, converted); diff != "" {
				t.Errorf("after conversion from a map (-want +got):\n%s", diff)
			}

			report, err := v.Check(gvk, manifest)
			if err != nil {
				t.Fatal(err)
			}
			if len(report.Unknown) > 0 {
				t.Errorf("the schema lacks %v", report.Unknown)
			}
			if diff := cmp.Diff(k.object, k.object.DeepCopyObject()); diff != "" {
				t.Errorf("deep copy (-want +got):\n%s", diff)
			}
		})
	}
}

// What a user wrote comes back as it was, and nothing is added to it.
func TestManifestsComeBackUnchanged(t *testing.T) {
	manifests := map[string]string{
		"VirtualMesh":       `{spec: {mtlsConfig: {shared: {rootCertificateAuthority: {generated: {}}}}, federation: {permissive: {}, eastWestIngressGatewaySelectors: [{portName: ""}]}}}`,
		"TrafficPolicy":     `{spec: {policy: {requestTimeout: 3600s, faultInjection: {fixedDelay: 0.5s, percentage: 0}, corsPolicy: {allowCredentials: false, allowOrigins: [{exact: ""}]}, trafficShift: {destinations: [{weight: 0, clusterHeader: ""}]}, csrf: {percentage: 1.50, deep: [null, {}]}}}}`,
		"AccessPolicy":      `{spec: {allowedPaths: ["/a"]}}`,
		"Mesh":              `{spec: {istio: {}, agentInfo: {agentNamespace: a}}}`,
		"Workload":          `{spec: {kubernetes: {}}}`,
		"Destination":       `{spec: {kubeService: {ports: [{port: 80, targetPortNumber: 0}]}}}`,
		"Settings":          `{spec: {mtls: {istio: {tlsMode: DISABLE}}}}`,
		"KubernetesCluster": `{spec: {secretName: a}}`,
	}
	for kind, k := range typed() {
		_, want := object(t, kind, manifests[kind])
		encoded, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(encoded, k.object); err != nil {
			t.Fatal(err)
		}
		encoded, err = json.Marshal(k.object)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, decode(t, string(encoded))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", kind, diff)
		}
	}
}

// fill gives every field of a type a value other than its zero.
func fill(v reflect.Value) {
	switch v.Interface().(type) {
	case core.Duration:
		v.Set(reflect.ValueOf(*core.NewDuration(1500 * 1e6)))
		return
	case apiextensionsv1.JSON:
		v.Set(reflect.ValueOf(apiextensionsv1.JSON{Raw: []byte(`{"a":[1,null]}`)}))
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Map:
		element := reflect.New(v.Type().Elem()).Elem()
		fill(element)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("key"), element)
	case reflect.String:
		v.SetString(strings.ToLower(v.Type().Name()))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Float64:
		v.SetFloat(0.5)
	default:
		v.Set(reflect.ValueOf(7).Convert(v.Type()))
	}
}
