#!/usr/bin/env bash
# Builds the control plane of the end-to-end tests - etcd, kube-apiserver,
# kube-controller-manager, kube-scheduler, and kwok, which plays the nodes -
# unless it has been built before, and prints the directory that holds the
# programs. Progress goes to stderr.
#
# The first build takes several minutes; the result is kept outside the tree,
# under KUBE_CACHE (default: $XDG_CACHE_HOME/meshctl or ~/.cache/meshctl).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

# The programs run anywhere, need no C compiler, and are the same whatever the
# caller's settings and workspace are.
export CGO_ENABLED=0 GOWORK=off GOFLAGS=-mod=readonly

key=$({
	cat build.sh go.mod go.sum kwok/go.mod kwok/go.sum
	go env GOVERSION GOOS GOARCH
} | git hash-object --stdin)
cache=${KUBE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/meshctl}
dir=$cache/kube/${key:0:16}
mkdir -p "$dir"

# Builds that nobody has asked for during a month are given up.
touch "$dir"
find "$cache/kube" -mindepth 1 -maxdepth 1 -mtime +30 -exec rm -rf {} +

building=
trap 'rm -rf "$building"' EXIT

# build PROGRAM MODULE-DIRECTORY PACKAGE [LINKER-FLAGS] builds one program if it
# is missing. It appears under its name only when it is complete, so builds may
# be interrupted and may run side by side.
build() {
	local program=$1 module=$2 package=$3 flags=${4:-}
	if [[ -x $dir/$program ]]; then
		return
	fi
	echo "kube: building $program; the first time takes several minutes" >&2
	building=$(mktemp -d "$dir/.building.XXXXXX")
	go build -C "$module" -trimpath -buildvcs=false -ldflags "-s -w $flags" -o "$building/$program" "$package" >&2
	mv -f "$building/$program" "$dir/$program"
	rm -rf "$building"
	building=
}

version() { go list -C "$1" -m -f '{{.Version}}' "$2"; }

# What kwok does with nodes and pods comes with its source.
stages() {
	if [[ -f $dir/kwok-stages.yaml ]]; then
		return
	fi
	local source stage
	go mod download -C kwok sigs.k8s.io/kwok
	source=$(go list -C kwok -m -f '{{.Dir}}' sigs.k8s.io/kwok)/kustomize/stage
	building=$(mktemp -d "$dir/.building.XXXXXX")
	for stage in node/fast/node-initialize pod/fast/pod-{ready,complete,delete}; do
		echo ---
		cat "$source/$stage.yaml"
	done >"$building/kwok-stages.yaml"
	mv -f "$building/kwok-stages.yaml" "$dir/kwok-stages.yaml"
	rm -rf "$building"
	building=
}

# Kubernetes reports v0.0.0 unless it is told which version it is.
kubernetes=$(version . k8s.io/kubernetes)
IFS=. read -r major minor _ <<<"${kubernetes#v}"
stamp=
for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
	stamp+=" -X $package.gitVersion=$kubernetes -X $package.gitMajor=$major -X $package.gitMinor=$minor -X $package.gitTreeState=clean"
done

build etcd . go.etcd.io/etcd/server/v3
build kube-apiserver . k8s.io/kubernetes/cmd/kube-apiserver "$stamp"
build kube-controller-manager . k8s.io/kubernetes/cmd/kube-controller-manager "$stamp"
build kube-scheduler . k8s.io/kubernetes/cmd/kube-scheduler "$stamp"
build kwok kwok sigs.k8s.io/kwok/cmd/kwok
stages

echo "$dir"
