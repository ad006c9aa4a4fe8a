package istio_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	networking "istio.io/api/networking/v1"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	schemavalidation "k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/yaml"

	"github.com/meshctl/meshctl/internal/render/istio"
	"github.com/meshctl/meshctl/internal/testkit/genworld"
)

// crdSchema is what an API server with Istio's CRDs checks objects of one kind
// against.
type crdSchema struct {
	structural *structuralschema.Structural
	openAPI    schemavalidation.SchemaValidator
	rules      *cel.Validator
	crd        *apiextensionsv1.CustomResourceDefinition
}

// crdSchemas returns the schemas that come with Istio's types, by kind.
var crdSchemas = sync.OnceValues(func() (map[istio.Kind]*crdSchema, error) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "istio.io/api").Output()
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "kubernetes", "customresourcedefinitions.gen.yaml"))
	if err != nil {
		return nil, err
	}
	schemas := map[istio.Kind]*crdSchema{}
	for _, document := range strings.Split(string(text), "\n---\n") {
		var crd apiextensionsv1.CustomResourceDefinition
		if err := yaml.Unmarshal([]byte(document), &crd); err != nil {
			return nil, err
		}
		for _, version := range crd.Spec.Versions {
			if version.Name != "v1" {
				continue
			}
			schema, err := newSchema(version.Schema.OpenAPIV3Schema)
			if err != nil {
				return nil, err
			}
			schema.crd = &crd
			schemas[istio.Kind(crd.Spec.Names.Kind)] = schema
		}
	}
	return schemas, nil
})

func newSchema(source *apiextensionsv1.JSONSchemaProps) (*crdSchema, error) {
	internal := &apiextensions.JSONSchemaProps{}
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(source, internal, nil); err != nil {
		return nil, err
	}
	structural, err := structuralschema.NewStructural(internal)
	if err != nil {
		return nil, err
	}
	openAPI, _, err := schemavalidation.NewSchemaValidator(internal)
	if err != nil {
		return nil, err
	}
	return &crdSchema{structural: structural, openAPI: openAPI, rules: cel.NewValidator(structural, true, celconfig.PerCallLimit)}, nil
}

// schemaErrors returns why an API server with Istio's CRDs would reject an
// object, or which of its fields it does not know.
func schemaErrors(t *testing.T, o *istio.Object) []string {
	t.Helper()
	fields, err := o.Fields()
	if err != nil {
		t.Fatal(err)
	}
	return fieldErrors(t, o.Kind, fields)
}

// fieldErrors is schemaErrors for plain values.
func fieldErrors(t *testing.T, kind istio.Kind, fields map[string]any) []string {
	t.Helper()
	schemas, err := crdSchemas()
	if err != nil {
		t.Fatal(err)
	}
	schema := schemas[kind]
	if schema == nil {
		t.Fatalf("there is no CRD for %s", kind)
	}
	errs := schemavalidation.ValidateCustomResource(nil, fields, schema.openAPI)
	if schema.rules != nil {
		found, _ := schema.rules.Validate(context.Background(), nil, schema.structural, fields, nil, celconfig.RuntimeCELCostBudget)
		errs = append(errs, found...)
	}
	reasons := pruning.PruneWithOptions(fields, schema.structural, true, structuralschema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})
	for _, e := range errs {
		reasons = append(reasons, e.Error())
	}
	return reasons
}

func checkSchemas(t *testing.T, objects []istio.Object) {
	t.Helper()
	for i := range objects {
		for _, reason := range schemaErrors(t, &objects[i]) {
			t.Errorf("an API server would reject %s: %s", objects[i].ID(), reason)
		}
	}
}

// TestSchemasBite shows that the schemas reject what they are there for.
func TestSchemasBite(t *testing.T) {
	t.Parallel()
	port := &networking.ServicePort{Name: "http", Number: 80}
	broken := []istio.Object{
		{Kind: istio.KindServiceEntry, Spec: &networking.ServiceEntry{}},
		{Kind: istio.KindServiceEntry, Spec: &networking.ServiceEntry{Hosts: []string{"a"}, Ports: []*networking.ServicePort{port, port}}},
		{Kind: istio.KindGateway, Spec: &networking.VirtualService{Hosts: []string{"a"}}},
	}
	for i := range broken {
		if len(schemaErrors(t, &broken[i])) == 0 {
			t.Errorf("%s %v is accepted", broken[i].Kind, broken[i].Spec)
		}
	}
}

// TestSchemas renders a world with the policies of a large installation.
func TestSchemas(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		all := render(genworld.Objects(genworld.Size{Clusters: 3, Services: 12, Traffic: 60, Access: 30, Seed: seed}))
		checkSchemas(t, all.objects)
		checkIdentities(t, all)
		checkReferences(t, all)
		checkParents(t, all)
		checkRules(t, all.objects)
	}
}
