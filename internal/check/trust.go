package check

import (
	"errors"
	"fmt"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/sharedtrust"
	"github.com/meshctl/meshctl/internal/trust"
	"github.com/meshctl/meshctl/internal/world"
)

func trustCategory() Category {
	check := func(topic sharedtrust.Topic, description string, severity Result) Check {
		return Check{ID: string(topic), Description: description, Severity: severity, Judge: judgeTrust(topic)}
	}
	return Category{
		ID: CategoryTrust, Title: "Trust", Skip: noTrust,
		Checks: []Check{
			check(sharedtrust.TopicRoot, "the root certificate is valid and can sign", Failed),
			check(sharedtrust.TopicCertificates, "every mesh has a valid intermediate CA certificate", Failed),
			check(sharedtrust.TopicRotation, "the deployed root CA matches the VirtualMesh", Warning),
			check(sharedtrust.TopicDistribution, "namespaces with workloads have the root CA certificate", Warning),
			check(sharedtrust.TopicRestarts, "no workload uses outdated certificates", Warning),
			check(sharedtrust.TopicLeft, "no mesh has certificates of a VirtualMesh it left", Warning),
		},
	}
}

// noTrust returns why trust checks are skipped; empty if there is shared trust.
func noTrust(f *Facts) string {
	switch {
	case f.NoClusters:
		return noManagement(f)
	case f.World == nil:
		return noWorld(f)
	case len(f.Trust) == 0 && !f.World.World.Incomplete():
		return "no VirtualMesh uses shared trust"
	default:
		return ""
	}
}

// judgeTrust returns a Judge function for one topic, with an outcome for each
// VirtualMesh or for each mesh that needs action.
func judgeTrust(topic sharedtrust.Topic) func(*Facts) []Outcome {
	return func(f *Facts) []Outcome {
		var outcomes []Outcome
		if len(f.Trust) == 0 {
			return single(worldUnread("no VirtualMesh with shared trust found"))
		}
		for i := range f.Trust {
			t := &f.Trust[i]
			object := "VirtualMesh/" + t.VirtualMesh
			if t.Report == nil {
				o := notInspected(t.Err, topic)
				o.Object = object
				outcomes = append(outcomes, o)
				continue
			}
			outcomes = append(outcomes, trustOutcomes(f, t.Report, topic, object)...)
		}
		return outcomes
	}
}

// notInspected is the outcome for a VirtualMesh whose trust cannot be judged.
func notInspected(err error, topic sharedtrust.Topic) Outcome {
	first := sharedtrust.TopicRoot
	var edited *sharedtrust.StatusError
	if errors.As(err, &edited) {
		first = sharedtrust.TopicRotation
		if topic == first {
			return Outcome{Result: Failed, Message: edited.Error()} // the rotation is blocked
		}
	}
	o := unknown(err.Error(), "")
	if topic != first {
		o = o.dependsOn(string(first))
	}
	return o
}

func trustOutcomes(f *Facts, report *sharedtrust.Report, topic sharedtrust.Topic, object string) []Outcome {
	var outcomes []Outcome
	for _, p := range report.Problems(f.Now, f.ExpiryWarning) {
		if p.Topic != topic {
			continue
		}
		o := Outcome{Cluster: p.Cluster, Object: object, Result: Failed, Message: p.Message, Hint: p.Hint}
		switch {
		case f.blocks(p.Cluster) != "":
			// What is said of a mesh whose cluster is unusable is only that.
			o.Result, o.Unknown, o.Cause = "", true, f.blocks(p.Cluster)
		case p.Unknown:
			o.Result, o.Unknown = "", true
		case p.Severity == sharedtrust.SeverityWarning:
			o.Result = Warning
		}
		if p.Mesh != "" {
			o.Object = world.ObjectID{Kind: "Mesh", Namespace: p.Namespace, Name: p.Mesh}.String()
		}
		outcomes = append(outcomes, o)
	}
	outcomes = append(outcomes, unjudgedTrust(report, topic, object)...)
	if len(outcomes) > 0 {
		return outcomes
	}
	o := holds(trustSummary(report, topic))
	o.Object = object
	return single(o)
}

// unjudgedTrust returns what could not be judged of a topic, because it needs a
// certificate that could not be read.
func unjudgedTrust(report *sharedtrust.Report, topic sharedtrust.Topic, object string) []Outcome {
	var outcomes []Outcome
	switch topic {
	case sharedtrust.TopicRotation:
		if report.Current.Unknown() && report.Pending == "" && !report.Position.Rotating() {
			o := unknown("the root certificate is not known", "").dependsOn(string(sharedtrust.TopicRoot))
			o.Object = object
			outcomes = append(outcomes, o)
		}
	case sharedtrust.TopicDistribution, sharedtrust.TopicRestarts:
		for i := range report.Reports {
			if m := &report.Reports[i]; m.Err != nil {
				o := unknown(m.Err.Error(), "").dependsOn(string(sharedtrust.TopicCertificates))
				o.Cluster, o.Object = m.Cluster, world.ObjectID{Kind: "Mesh", Namespace: m.Ref.Namespace, Name: m.Ref.Name}.String()
				outcomes = append(outcomes, o)
			}
		}
	case sharedtrust.TopicRoot, sharedtrust.TopicCertificates, sharedtrust.TopicLeft:
	}
	return outcomes
}

// trustSummary summarises a healthy topic.
func trustSummary(report *sharedtrust.Report, topic sharedtrust.Topic) string {
	switch topic {
	case sharedtrust.TopicRoot:
		if c := report.Current.Certificate; c != nil {
			return fmt.Sprintf("root %s expires at %s", trust.Short(c), c.NotAfter.UTC().Format("2006-01-02"))
		}
		return "it is created on first use"
	case sharedtrust.TopicCertificates:
		return text.Count(len(report.Reports), "mesh")
	default:
		return ""
	}
}
