//go:build unix

package clustertest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"net/netip"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// The groups and users that a new cluster knows by itself.
const (
	administrators = "system:masters"
	managerUser    = "system:kube-controller-manager"
	schedulerUser  = "system:kube-scheduler"
)

// Cluster is one running Kubernetes control plane.
type Cluster struct {
	// Name is also the name of its context in kubeconfig files.
	Name string
	// Server is the URL of its API server, the same after a restart.
	Server string

	fleet *Fleet
	dir   string
	port  int
	ca    *authority
	admin *Credentials

	mu          sync.Mutex // Guards the processes below.
	apiServer   *process
	controllers *process
	scheduler   *process
	nodes       *process
}

// newCluster chooses an address and makes the keys; nothing runs yet.
func newCluster(ctx context.Context, fleet *Fleet, name string) (*Cluster, error) {
	port, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	ca, err := newAuthority(name)
	if err != nil {
		return nil, err
	}
	c := &Cluster{
		Name:   name,
		Server: "https://127.0.0.1:" + strconv.Itoa(port),
		fleet:  fleet,
		dir:    filepath.Join(fleet.dir, name),
		port:   port,
		ca:     ca,
	}
	if err := c.writeKeys(); err != nil {
		return nil, fmt.Errorf("write keys: %w", err)
	}
	return c, nil
}

// Admin returns the credentials of a user who may do everything.
func (c *Cluster) Admin() *Credentials { return c.admin }

// address is where others than this machine reach the API server; the zero
// address if they do not.
func (c *Cluster) address() netip.Addr {
	if c.fleet.options.Address == nil {
		return netip.Addr{}
	}
	return c.fleet.options.Address(c.Name)
}

// Reachable returns the credentials for others than this machine: with the
// address of the fleet's options in place of 127.0.0.1.
func (c *Cluster) Reachable(credentials *Credentials) *Credentials {
	elsewhere := *credentials
	elsewhere.Server = "https://" + netip.AddrPortFrom(c.address(), uint16(c.port)).String() //nolint:gosec // A port.
	return &elsewhere
}

// Clientset returns a client of the administrator.
func (c *Cluster) Clientset() (kubernetes.Interface, error) {
	return kubernetes.NewForConfig(c.admin.Config())
}

func (c *Cluster) start(ctx context.Context) error {
	if err := c.StartAPIServer(ctx); err != nil {
		return err
	}
	return c.startControllers(ctx)
}

// writeKeys writes the files that the programs of the cluster read.
func (c *Cluster) writeKeys() error {
	serving, err := c.ca.serve(c.address())
	if err != nil {
		return err
	}
	tokenKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("generate the key of the service account tokens: %w", err)
	}
	tokenKeyPEM, err := encodeKey(tokenKey)
	if err != nil {
		return err
	}
	if err := writeFiles(c.dir, map[string][]byte{
		"ca.crt":           c.ca.pem,
		"server.crt":       serving.certificate,
		"server.key":       serving.key,
		"service-accounts": tokenKeyPEM,
	}); err != nil {
		return err
	}
	if c.admin, err = c.AddUser(c.Name+"-admin", administrators); err != nil {
		return err
	}
	manager, err := c.AddUser(managerUser)
	if err != nil {
		return err
	}
	scheduler, err := c.AddUser(schedulerUser)
	if err != nil {
		return err
	}
	for file, user := range map[string]*Credentials{
		"admin.kubeconfig":              c.admin,
		"controller-manager.kubeconfig": manager,
		"scheduler.kubeconfig":          scheduler,
	} {
		if err := WriteKubeconfig(c.file(file), c.Name, map[string]*Credentials{c.Name: user}); err != nil {
			return err
		}
	}
	return nil
}

// StartAPIServer starts the API server, and waits until it is ready. It is for
// clusters whose API server was stopped: with the same address and objects.
func (c *Cluster) StartAPIServer(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	flags := []string{
		"--etcd-servers=" + c.fleet.etcdURL,
		"--etcd-prefix=/" + c.Name,
		"--bind-address=127.0.0.1",
		"--secure-port=" + strconv.Itoa(c.port),
		"--tls-cert-file=" + c.file("server.crt"),
		"--tls-private-key-file=" + c.file("server.key"),
		"--client-ca-file=" + c.file("ca.crt"),
		"--authorization-mode=RBAC",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + c.file("service-accounts"),
		"--service-account-signing-key-file=" + c.file("service-accounts"),
		"--service-cluster-ip-range=10.96.0.0/16",
		// Endpoints of the API server cannot be a loopback address.
		"--endpoint-reconciler-type=none",
		// Nothing here would take that taint away again.
		"--disable-admission-plugins=TaintNodesByCondition",
		"--allow-privileged",
		"--profiling=false",
	}
	if address := c.address(); address.IsValid() {
		flags = append(flags, "--bind-address=0.0.0.0", "--advertise-address="+address.String())
	}
	if more := c.fleet.options.APIServerFlags; more != nil {
		flags = append(flags, more(c.Name)...)
	}
	var err error
	c.apiServer, err = startProcess(filepath.Join(c.fleet.assets, "kube-apiserver"), flags, c.file("kube-apiserver.log"))
	if err != nil {
		return err
	}
	client, err := rest.HTTPClientFor(c.admin.Config())
	if err != nil {
		return fmt.Errorf("make a client: %w", err)
	}
	return c.apiServer.waitReady(ctx, func(ctx context.Context) error {
		return expectOK(ctx, client, c.Server+"/readyz")
	})
}

// StopAPIServer kills the API server: connections are reset, new ones refused.
func (c *Cluster) StopAPIServer() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.apiServer.stop()
}

// PauseAPIServer makes the API server hang: connections are accepted, but
// nothing is answered until ResumeAPIServer is called.
func (c *Cluster) PauseAPIServer() error { return c.signalAPIServer(syscall.SIGSTOP) }

// ResumeAPIServer lets a paused API server go on.
func (c *Cluster) ResumeAPIServer() error { return c.signalAPIServer(syscall.SIGCONT) }

func (c *Cluster) signalAPIServer(signal syscall.Signal) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.apiServer.signal(signal); err != nil {
		return fmt.Errorf("signal the API server of %s: %w", c.Name, err)
	}
	return nil
}

// startControllers starts the controller manager with the controllers that
// meshctl's objects depend on, and waits until service accounts appear.
func (c *Cluster) startControllers(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var err error
	c.controllers, err = startProcess(filepath.Join(c.fleet.assets, "kube-controller-manager"), []string{
		"--kubeconfig=" + c.file("controller-manager.kubeconfig"),
		"--use-service-account-credentials",
		"--service-account-private-key-file=" + c.file("service-accounts"),
		"--root-ca-file=" + c.file("ca.crt"),
		"--leader-elect=false",
		"--secure-port=0",
		"--controllers=" + controllers(),
	}, c.file("kube-controller-manager.log"))
	if err != nil {
		return err
	}
	client, err := c.Clientset()
	if err != nil {
		return err
	}
	return c.controllers.waitReady(ctx, func(ctx context.Context) error {
		_, err := client.CoreV1().ServiceAccounts(metav1.NamespaceDefault).Get(ctx, "default", metav1.GetOptions{})
		return err
	})
}

// controllers is the value of the controller manager's flag: what workloads,
// namespaces, roles and service accounts need.
func controllers() string {
	return "clusterrole-aggregation-controller,cronjob-controller,daemonset-controller,deployment-controller," +
		"endpoints-controller,endpointslice-controller,garbage-collector-controller,job-controller," +
		"namespace-controller,replicaset-controller,root-ca-certificate-publisher-controller," +
		"serviceaccount-controller,serviceaccount-token-controller,statefulset-controller"
}

func (c *Cluster) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.nodes.stop()
	c.scheduler.stop()
	c.controllers.stop()
	c.apiServer.stop()
}

func (c *Cluster) file(name string) string { return filepath.Join(c.dir, name) }
