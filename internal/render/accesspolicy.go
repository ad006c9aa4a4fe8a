package render

import (
	"strings"

	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// AccessPolicy returns how AccessPolicies are authored.
func AccessPolicy() Kind[AccessPolicyInput, *networkingv1.AccessPolicy] {
	gvk := networkingv1.GroupVersion().WithKind("AccessPolicy")
	return Kind[AccessPolicyInput, *networkingv1.AccessPolicy]{
		GVK: gvk, Noun: "accesspolicy", Fields: accessPolicyFields(),
		unrestricted: unrestrictedAccess(),
		check:        checkAccessPolicy,
		apply:        func(in *AccessPolicyInput, p *networkingv1.AccessPolicy) { applyAccessPolicy(in, &p.Spec) },
		read:         func(p *networkingv1.AccessPolicy) *AccessPolicyInput { return accessPolicyInput(&p.Spec) },
		empty: func() *networkingv1.AccessPolicy {
			p := &networkingv1.AccessPolicy{}
			p.SetGroupVersionKind(gvk)
			return p
		},
		copy:   (*networkingv1.AccessPolicy).DeepCopy,
		absent: func(o *networkingv1.AccessPolicy) bool { return o == nil },
	}
}

// The sections of help.
const (
	groupWho  = "Who may call"
	groupWhat = "What they may call"
)

func accessPolicyFields() []Field[AccessPolicyInput] {
	type input = AccessPolicyInput
	fields := []Field[input]{many(Field[input]{
		Name: "source", Value: "TERMS", Group: groupWho, Names: AccountNames, Keys: append([]string{anyCaller}, usages(identityKeys())...),
		Usage: "callers: `any`, or service-account=REF, namespace=NAME, cluster=NAME, request-principal=ISSUER/SUBJECT, ip=ADDRESS and others; " +
			"the workloads of the same mesh if not given",
	}, func(in *input) *[]core.IdentitySelector { return &in.Sources }, readIdentity, writeIdentity)}
	fields = append(fields, destinationFields(groupWhat, func(in *input) *[]core.DestinationSelector { return &in.Destinations })...)
	return append(fields,
		many(Field[input]{
			Name: "path", Value: "PATH", Group: groupWhat,
			Usage: "a path that is allowed, with `*` at one end for anything; all if not given",
		}, func(in *input) *[]string { return &in.Paths }, readPath, writeText),
		many(Field[input]{
			Name: "method", Value: "METHOD", Group: groupWhat, Usage: "an HTTP method that is allowed; all if not given",
		}, func(in *input) *[]string { return &in.Methods }, readMethod, writeText),
		many(Field[input]{
			Name: "port", Value: "PORT", Group: groupWhat, Usage: "a port that is allowed; all if not given",
		}, func(in *input) *[]uint32 { return &in.Ports }, readPort, writeNumber[uint32]),
	)
}

// readPath reads a path in which `*` at one end stands for anything.
func readPath(p piece, _ Names) (string, error) {
	if err := checkPrintable(p, "the path"); err != nil {
		return "", err
	}
	inner := strings.TrimPrefix(p.text, "*")
	switch star := strings.Index(inner, "*"); {
	case star >= 0 && (star < len(inner)-1 || len(inner) < len(p.text)):
		return "", p.errorAt(len(p.text)-len(inner)+star, "`*` is a wildcard only at the start or at the end of a path")
	case !strings.HasPrefix(p.text, "*") && !strings.HasPrefix(p.text, "/"):
		return "", p.errorf("a path starts with a slash, or with `*`")
	}
	return p.text, nil
}

func applyAccessPolicy(in *AccessPolicyInput, spec *networkingv1.AccessPolicySpec) {
	setList(&spec.SourceSelector, in.Sources)
	setList(&spec.DestinationSelector, in.Destinations)
	setList(&spec.AllowedPaths, in.Paths)
	setList(&spec.AllowedMethods, in.Methods)
	setList(&spec.AllowedPorts, in.Ports)
}

func accessPolicyInput(spec *networkingv1.AccessPolicySpec) *AccessPolicyInput {
	return &AccessPolicyInput{
		Sources: spec.SourceSelector, Destinations: spec.DestinationSelector,
		Paths: spec.AllowedPaths, Methods: spec.AllowedMethods, Ports: spec.AllowedPorts,
	}
}
