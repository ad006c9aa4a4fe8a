#!/usr/bin/env bash
# Builds the Vault of the end-to-end tests (main.go) unless it has been built
# before, and prints the path of the program. Progress goes to stderr.
#
# The first build takes several minutes; the result is kept outside the tree,
# under KUBE_CACHE (default: $XDG_CACHE_HOME/meshctl or ~/.cache/meshctl), next
# to that of hack/kube.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

# The program runs anywhere, needs no C compiler, and is the same whatever the
# caller's settings and workspace are.
export CGO_ENABLED=0 GOWORK=off GOFLAGS=-mod=readonly

key=$({
	cat build.sh main.go go.mod go.sum
	go env GOVERSION GOOS GOARCH
} | git hash-object --stdin)
cache=${KUBE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/meshctl}
dir=$cache/vault/${key:0:16}
mkdir -p "$dir"

# Builds that nobody has asked for during a month are given up.
touch "$dir"
find "$cache/vault" -mindepth 1 -maxdepth 1 -mtime +30 -exec rm -rf {} +

# The program appears under its name only when it is complete, so builds may be
# interrupted and may run side by side.
if [[ ! -x $dir/vault ]]; then
	echo "vault: building vault; the first time takes several minutes" >&2
	building=$(mktemp -d "$dir/.building.XXXXXX")
	trap 'rm -rf "$building"' EXIT
	go build -trimpath -buildvcs=false -ldflags '-s -w' -o "$building/vault" . >&2
	mv -f "$building/vault" "$dir/vault"
fi

echo "$dir/vault"
