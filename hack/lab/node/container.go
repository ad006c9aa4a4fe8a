//go:build linux

package node

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/yaml"

	"github.com/meshctl/meshctl/hack/lab/echo"
	"github.com/meshctl/meshctl/hack/lab/machine"
)

// proxyUser is the number of the user that proxies run as; its traffic is not
// captured.
const proxyUser = 1337

// containerKind is what a container is, by its image. Lower kinds start first.
type containerKind int

const (
	proxyContainer containerKind = iota
	istiodContainer
	echoContainer
)

func kindOf(c *corev1.Container) containerKind {
	switch {
	case strings.Contains(c.Image, "proxyv2"):
		return proxyContainer
	case strings.Contains(c.Image, "/pilot"):
		return istiodContainer
	default:
		return echoContainer
	}
}

// starter returns how to start a container.
func (p *Pod) starter(ctx context.Context, c *corev1.Container) (func() (*running, error), error) {
	switch kindOf(c) {
	case proxyContainer:
		return p.proxy(ctx, c)
	case istiodContainer:
		return p.istiod(ctx, c)
	default:
		return p.echo(ctx, c)
	}
}

// start returns how to start a program as a container.
func (p *Pod) start(c *corev1.Container, command *machine.Command, ready func(context.Context) error) func() (*running, error) {
	return func() (*running, error) {
		process, err := p.Host.Start(command, p.Log(c.Name))
		if err != nil {
			return nil, err
		}
		return &running{ended: process.Done(), stop: process.Stop, ready: ready}, nil
	}
}

// echo listens on the container's ports, and on those that Services send to the
// pod. The servers live in this process.
func (p *Pod) echo(ctx context.Context, c *corev1.Container) (func() (*running, error), error) {
	if p.Echo == nil {
		p.Echo = &echo.Server{Identity: echo.Identity{
			Name: p.Name, Workload: p.Workload, Namespace: p.Namespace, Cluster: p.node.Cluster, Labels: p.Labels,
		}}
	}
	ports := p.listenPorts(c)
	return func() (*running, error) {
		listeners := make([]net.Listener, 0, len(ports))
		for _, port := range ports {
			listener, err := p.Host.Listen(ctx, "tcp", ":"+strconv.Itoa(port))
			if err != nil {
				return nil, err
			}
			listeners = append(listeners, listener)
		}
		// It goes on while its proxy drains, and ends with the others.
		serving, stop := context.WithCancel(context.WithoutCancel(ctx))
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			if err := p.Echo.Serve(serving, listeners...); err != nil {
				p.node.Log("echo server of %s/%s in %s: %v", p.Namespace, p.Name, p.node.Cluster, err)
			}
		}()
		return &running{
			ended: ended,
			stop:  func(time.Duration) { stop(); <-ended },
			ready: func(context.Context) error { return nil },
		}, nil
	}, nil
}

// listenPorts returns the ports of a container, ascending.
func (p *Pod) listenPorts(c *corev1.Container) []int {
	ports := map[int]bool{}
	for _, port := range c.Ports {
		ports[int(port.ContainerPort)] = true
	}
	services, err := p.node.services.Services(p.Namespace).List(labels.Everything())
	if err != nil {
		p.node.Log("list the Services of %s: %v", p.Namespace, err)
	}
	for _, service := range services {
		if len(service.Spec.Selector) == 0 || !labels.SelectorFromSet(service.Spec.Selector).Matches(labels.Set(p.Labels)) {
			continue
		}
		for _, port := range service.Spec.Ports {
			if number := port.TargetPort.IntValue(); number != 0 {
				ports[number] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(ports))
}

// istiod runs the control plane with the pod's own permissions.
func (p *Pod) istiod(ctx context.Context, c *corev1.Container) (func() (*running, error), error) {
	kubeconfig, err := p.node.Kubeconfig(ctx, p.Namespace, p.object.Spec.ServiceAccountName)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(p.Dir, "kubeconfig"), kubeconfig, 0o600); err != nil {
		return nil, err
	}
	args := append([]string{filepath.Join(p.node.Programs, "pilot-discovery")}, c.Args...)
	env := append(p.environment(c), "KUBECONFIG="+filepath.Join(p.Dir, "kubeconfig"), "HOME="+p.Dir, "GOMEMLIMIT=256MiB")
	command := &machine.Command{Args: args, Env: env, Dir: p.Dir, Files: p.resolver()}
	return p.start(c, command, func(ctx context.Context) error { return p.probe(ctx, 8080, "/ready") }), nil
}

// proxy runs a sidecar or a gateway as Istio's injection would set it up.
func (p *Pod) proxy(ctx context.Context, c *corev1.Container) (func() (*running, error), error) {
	sidecar := !p.isGateway(c)
	config, metadata, err := p.proxyConfig()
	if err != nil {
		return nil, err
	}
	for _, dir := range []string{"var/run/secrets/workload-spiffe-uds", "var/lib/istio/data", "etc/istio/proxy"} {
		if err := os.MkdirAll(filepath.Join(p.Dir, dir), 0o755); err != nil {
			return nil, err
		}
	}
	if err := p.writeProxyFiles(ctx); err != nil {
		return nil, err
	}
	env := append(
		p.environment(c),
		"POD_NAME="+p.Name, "POD_NAMESPACE="+p.Namespace, "INSTANCE_IP="+p.address.String(), "HOST_IP="+p.node.Plan.Host.String(),
		"SERVICE_ACCOUNT="+p.object.Spec.ServiceAccountName, "ISTIO_META_CLUSTER_ID="+p.node.Cluster,
		"ISTIO_META_WORKLOAD_NAME="+p.Workload, "ISTIO_META_INTERCEPTION_MODE=REDIRECT", "ISTIO_META_APP_CONTAINERS=app",
		"ISTIO_META_MESH_ID=lab", "JWT_POLICY=third-party-jwt", "PILOT_CERT_PROVIDER=istiod", "CA_ADDR=istiod.istio-system.svc:15012",
		"PROXY_CONFIG="+config,
		// Filters that only Istio's own Envoy has (docs/lab.md).
		"ISTIO_META_METADATA_DISCOVERY=false", "ISTIO_BOOTSTRAP="+filepath.Join(p.node.Programs, "envoy_bootstrap.json"),
		"GOMEMLIMIT=64MiB", "GOMAXPROCS=1", "HOME="+p.Dir,
	)
	env = append(env, metadata...)
	if sidecar {
		if err := p.capture(ctx, env); err != nil {
			return nil, err
		}
	}
	if err := chownAll(p.Dir, proxyUser); err != nil {
		return nil, err
	}
	kind := "router"
	if sidecar {
		kind = "sidecar"
	}
	command := &machine.Command{
		Args: []string{
			filepath.Join(p.node.Programs, "pilot-agent"), "proxy", kind, "--domain", p.Namespace + ".svc." + p.node.Domain,
			"--proxyLogLevel", "warning", "--proxyComponentLogLevel", "misc:error", "--log_output_level", "default:info",
		},
		Env: env, Dir: p.Dir, User: proxyUser, Files: p.resolver(),
	}
	return p.start(c, command, func(ctx context.Context) error { return p.probe(ctx, 15021, "/healthz/ready") }), nil
}

// isGateway reports whether a proxy is one of its own instead of a sidecar: it
// is started as one, or injection would start it so.
func (p *Pod) isGateway(c *corev1.Container) bool {
	return slices.Contains(c.Args, "router") || p.object.Annotations["inject.istio.io/templates"] == "gateway"
}

// capture leads the traffic of the pod through its proxy.
func (p *Pod) capture(ctx context.Context, env []string) error {
	output, err := p.Host.Run(ctx, &machine.Command{
		Args: []string{
			filepath.Join(p.node.Programs, "pilot-agent"), "istio-iptables", "-p", "15001", "-z", "15006", "-u", strconv.Itoa(proxyUser),
			"-m", "REDIRECT", "-i", "*", "-x", "", "-b", "*", "-d", "15090,15021,15020",
		},
		Env: env, Dir: p.Dir, Files: p.resolver(),
	})
	if err != nil {
		return fmt.Errorf("capture the traffic: %w", err)
	}
	return os.WriteFile(p.Log("istio-init"), []byte(output), 0o600)
}

// proxyConfig returns the configuration of the pod's proxy - what the mesh
// gives to all, and the pod's annotation - and the metadata among it, which
// injection makes variables of.
func (p *Pod) proxyConfig() (config string, metadata []string, err error) {
	var mesh struct {
		DefaultConfig map[string]any `json:"defaultConfig"`
		TrustDomain   string         `json:"trustDomain"`
	}
	if text := p.meshConfig(); text != "" {
		if err := yaml.Unmarshal([]byte(text), &mesh); err != nil {
			return "", nil, fmt.Errorf("read the mesh's configuration: %w", err)
		}
	}
	merged := map[string]any{"discoveryAddress": "istiod.istio-system.svc:15012", "concurrency": 1}
	maps.Copy(merged, mesh.DefaultConfig)
	if own := p.object.Annotations["proxy.istio.io/config"]; own != "" {
		special := map[string]any{}
		if err := yaml.Unmarshal([]byte(own), &special); err != nil {
			return "", nil, fmt.Errorf("read the annotation proxy.istio.io/config: %w", err)
		}
		general, _ := merged["proxyMetadata"].(map[string]any)
		maps.Copy(merged, special)
		if own, ok := special["proxyMetadata"].(map[string]any); ok {
			both := maps.Clone(general)
			if both == nil {
				both = map[string]any{}
			}
			maps.Copy(both, own)
			merged["proxyMetadata"] = both
		}
	}
	merged["binaryPath"] = filepath.Join(p.node.Programs, "envoy")
	merged["configPath"] = "./etc/istio/proxy"
	if values, ok := merged["proxyMetadata"].(map[string]any); ok {
		for _, name := range slices.Sorted(maps.Keys(values)) {
			metadata = append(metadata, fmt.Sprintf("%s=%v", name, values[name]))
		}
	}
	if mesh.TrustDomain != "" {
		metadata = append(metadata, "TRUST_DOMAIN="+mesh.TrustDomain)
	}
	text, err := json.Marshal(merged)
	return string(text), metadata, err
}

func (p *Pod) meshConfig() string {
	configMap, err := p.node.configMaps.ConfigMaps("istio-system").Get("istio")
	if err != nil {
		return ""
	}
	return configMap.Data["mesh"]
}

// writeProxyFiles writes what injection mounts into a proxy: a token, the root
// certificate that istiod publishes, and the pod's labels.
func (p *Pod) writeProxyFiles(ctx context.Context) error {
	seconds := int64((12 * time.Hour).Seconds())
	token, err := p.node.Client.CoreV1().ServiceAccounts(p.Namespace).CreateToken(ctx, p.object.Spec.ServiceAccountName, &authenticationv1.TokenRequest{
		Spec: authenticationv1.TokenRequestSpec{
			Audiences: []string{"istio-ca"}, ExpirationSeconds: &seconds,
			BoundObjectRef: &authenticationv1.BoundObjectReference{Kind: "Pod", APIVersion: "v1", Name: p.Name, UID: p.uid},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("request a token for istiod: %w", err)
	}
	var described strings.Builder
	for _, key := range slices.Sorted(maps.Keys(p.Labels)) {
		fmt.Fprintf(&described, "%s=%q\n", key, p.Labels[key])
	}
	var annotations strings.Builder
	for _, key := range slices.Sorted(maps.Keys(p.object.Annotations)) {
		fmt.Fprintf(&annotations, "%s=%q\n", key, p.object.Annotations[key])
	}
	for file, content := range map[string]string{
		"var/run/secrets/tokens/istio-token": token.Status.Token,
		"etc/istio/pod/labels":               described.String(),
		"etc/istio/pod/annotations":          annotations.String(),
	} {
		if err := writeFile(filepath.Join(p.Dir, file), []byte(content)); err != nil {
			return err
		}
	}
	return p.awaitRootCertificate(ctx)
}

// awaitRootCertificate waits until istiod has published its root certificate in
// the pod's namespace, as pods wait for ConfigMaps that they mount.
func (p *Pod) awaitRootCertificate(ctx context.Context) error {
	for {
		written, err := p.writeRootCertificate()
		if written || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (p *Pod) writeRootCertificate() (bool, error) {
	configMap, err := p.node.configMaps.ConfigMaps(p.Namespace).Get("istio-ca-root-cert")
	if err != nil || configMap.Data["root-cert.pem"] == "" {
		return false, nil //nolint:nilerr // It comes later.
	}
	return true, writeFile(filepath.Join(p.Dir, "var/run/secrets/istio/root-cert.pem"), []byte(configMap.Data["root-cert.pem"]))
}

// environment returns the variables of a container.
func (p *Pod) environment(c *corev1.Container) []string {
	env := []string{"PATH=" + os.Getenv("PATH")}
	for _, e := range c.Env {
		value := e.Value
		if e.ValueFrom != nil && e.ValueFrom.FieldRef != nil {
			switch e.ValueFrom.FieldRef.FieldPath {
			case "metadata.name":
				value = p.Name
			case "metadata.namespace":
				value = p.Namespace
			case "spec.serviceAccountName":
				value = p.object.Spec.ServiceAccountName
			case "status.podIP":
				value = p.address.String()
			case "status.hostIP":
				value = p.node.Plan.Host.String()
			}
		}
		env = append(env, e.Name+"="+value)
	}
	return env
}

// resolver returns the files that lead to the cluster's name server.
func (p *Pod) resolver() map[string]string {
	return map[string]string{"/etc/resolv.conf": filepath.Join(p.Dir, "resolv.conf"), "/etc/hosts": filepath.Join(p.Dir, "hosts")}
}

// Command returns a process that runs a command as the pod's application would:
// with its name server.
func (p *Pod) Command(args, env []string) (*exec.Cmd, error) {
	return (&machine.Command{Args: args, Env: env, Files: p.resolver()}).Prepare()
}

// Search returns the domains that names without dots are looked up in.
func (p *Pod) Search() []string {
	return []string{p.Namespace + ".svc." + p.node.Domain, "svc." + p.node.Domain, p.node.Domain}
}

// DNS is the address of the pod's name server.
func (p *Pod) DNS() string { return net.JoinHostPort(p.node.Plan.DNS.String(), "53") }

func chownAll(dir string, user int) error {
	return filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, user, user)
	})
}
