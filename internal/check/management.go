package check

import (
	"fmt"
	"strings"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/registration"
)

const (
	idManagementReachable   = "management-reachable"
	idManagementDefinitions = "management-definitions"
	idManagementRead        = "management-read"
)

// dependsOnDefinitions is why checks of a cluster without the CRDs are skipped.
const dependsOnDefinitions = "it depends on " + idManagementDefinitions + ", which failed"

func managementCategory() Category {
	return Category{
		ID: CategoryManagement, Title: "Management cluster",
		Skip: func(f *Facts) string {
			if f.Management == nil {
				return noManagement(f)
			}
			return ""
		},
		Checks: []Check{
			{
				ID: idManagementReachable, Description: "the API server is reachable", Severity: Failed,
				Hint: "check the kubeconfig, or choose another context with --context", Judge: judgeManagementReachable,
			},
			{
				ID: "management-version", Description: "the Kubernetes version is supported", Severity: Failed,
				Hint: "upgrade the cluster", Judge: judgeManagement(judgeManagementVersion),
			},
			{
				ID: idManagementDefinitions, Description: "the CRDs of meshctl are installed", Severity: Failed,
				Hint: "run 'meshctl install'", Judge: judgeManagement(judgeDefinitions),
			},
			{
				ID: "management-edition", Description: "the CRDs match this version of meshctl", Severity: Warning,
				Hint: "run 'meshctl install' with the newer version", Judge: judgeManagement(judgeInstalled(judgeEdition)),
			},
			{
				ID: "management-namespace", Description: "the namespace of meshctl's resources exists", Severity: Failed,
				Hint: "run 'meshctl install', or name another namespace with --namespace", Judge: judgeManagement(judgeInstalled(judgeNamespace)),
			},
			{
				ID: idManagementRead, Description: "you have permission to read meshctl's resources", Severity: Failed,
				Hint: "get a role such as meshctl-view", Judge: judgeManagement(judgeInstalled(judgeReading)),
			},
			{
				ID: "management-write", Description: "you have permission to change meshctl's resources and use registrations", Severity: Warning,
				Hint: "not needed for read-only use; otherwise get roles such as meshctl-edit and meshctl-admin, and for Secrets the ClusterRole " + kube.SecretsRole + " of Kubernetes", Judge: judgeManagement(judgeInstalled(judgeWriting)),
			},
		},
	}
}

// judgeManagement returns a Judge function that needs a usable management
// cluster.
func judgeManagement(judge func(*Facts, *ManagementFacts) []Outcome) func(*Facts) []Outcome {
	return func(f *Facts) []Outcome {
		if why := noManagement(f); why != "" {
			return single(skipped(why))
		}
		return judge(f, f.Management)
	}
}

// judgeInstalled returns a Judge function that is skipped on a cluster where
// nothing of meshctl is installed: it is probably not the intended one.
func judgeInstalled(judge func(*Facts, *ManagementFacts) []Outcome) func(*Facts, *ManagementFacts) []Outcome {
	return func(f *Facts, m *ManagementFacts) []Outcome {
		if m.notInstalled() {
			return single(skipped(dependsOnDefinitions))
		}
		return judge(f, m)
	}
}

func judgeManagementReachable(f *Facts) []Outcome {
	m := f.Management
	o := holds("")
	if m.Err != nil {
		o = broken(m.Err.Local(), m.Err.Hint)
	}
	o.Cluster = m.Cluster
	return single(o)
}

func judgeManagementVersion(_ *Facts, m *ManagementFacts) []Outcome {
	if m.Outdated != nil {
		return single(broken(m.Outdated.Message(), m.Outdated.Hint))
	}
	return single(holds("Kubernetes " + m.Version))
}

func judgeDefinitions(_ *Facts, m *ManagementFacts) []Outcome {
	switch {
	case m.DefinitionsErr != nil:
		return single(unread(m.DefinitionsErr))
	case m.notInstalled():
		return single(broken(kube.NotManagement, kube.HintNotManagement))
	}
	var outcomes []Outcome
	for _, d := range m.Definitions {
		o := Outcome{Object: "CustomResourceDefinition/" + d.Name}
		switch d.State {
		case registration.DefinitionMissing:
			o.Message = "it is not installed"
		case registration.DefinitionNotServed:
			o.Message = "the API server does not serve it in the version that meshctl uses"
			o.Hint = "run 'meshctl install'; if someone else installed it, upgrade it with the tool that did"
		case registration.DefinitionCurrent, registration.DefinitionOther, registration.DefinitionForeign:
			continue
		}
		outcomes = append(outcomes, o)
	}
	if len(outcomes) == 0 {
		return single(holds(text.Count(len(m.Definitions), "definition")))
	}
	return outcomes
}

func judgeEdition(_ *Facts, m *ManagementFacts) []Outcome {
	if m.DefinitionsErr != nil {
		return single(unread(m.DefinitionsErr).dependsOn(idManagementDefinitions))
	}
	var outcomes []Outcome
	foreign := 0
	for _, d := range m.Definitions {
		switch d.State {
		case registration.DefinitionOther:
			outcomes = append(outcomes, Outcome{Object: "CustomResourceDefinition/" + d.Name, Message: "another version of meshctl installed it"})
		case registration.DefinitionForeign:
			foreign++
		case registration.DefinitionCurrent, registration.DefinitionMissing, registration.DefinitionNotServed:
		}
	}
	switch {
	case len(outcomes) > 0:
		return outcomes
	case foreign > 0:
		return single(holds(fmt.Sprintf("%d of %d were installed by another tool", foreign, len(m.Definitions))))
	default:
		return single(holds(""))
	}
}

func judgeNamespace(f *Facts, m *ManagementFacts) []Outcome {
	switch {
	case m.NamespaceErr != nil:
		return single(unread(m.NamespaceErr))
	case m.NamespaceMissing:
		return single(broken("there is no namespace "+f.Namespace, ""))
	default:
		return single(holds(f.Namespace))
	}
}

func judgeReading(_ *Facts, m *ManagementFacts) []Outcome {
	return judgePermissions(m.CannotRead, m.PermissionsErr)
}

func judgeWriting(_ *Facts, m *ManagementFacts) []Outcome {
	return judgePermissions(m.CannotWrite, m.PermissionsErr)
}

// judgePermissions reports missing permissions.
func judgePermissions(missing []kube.Permission, err *kube.Error) []Outcome {
	if err != nil {
		return single(unread(err))
	}
	if len(missing) == 0 {
		return single(holds(""))
	}
	texts := make([]string, 0, len(missing))
	for _, p := range missing {
		texts = append(texts, p.String())
	}
	return single(broken("not allowed to "+strings.Join(texts, ", "), ""))
}
