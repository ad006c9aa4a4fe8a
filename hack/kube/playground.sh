#!/usr/bin/env bash
# Keeps three Kubernetes clusters - management, east and west - running in the
# background, to try meshctl by hand:
#
#   hack/kube/playground.sh up [DIRECTORY]
#   hack/kube/playground.sh down [DIRECTORY]
#
# The directory gets the kubeconfig, the logs and the data. `up` prints what to
# do next; `down` stops the clusters and removes the directory.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
dir=${2:-${KUBE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/meshctl}/playground}
[[ $dir == /* ]] || dir=$PWD/$dir

usage() {
	echo "usage: $0 up|down [DIRECTORY]" >&2
	exit 2
}

# running tells whether the process of this directory is alive. Its command line
# is compared, since the number may belong to another process after a reboot.
running() {
	[[ -f $dir/pid ]] && ps -o args= -p "$(<"$dir/pid")" 2>/dev/null | grep -qF -- "-dir $dir"
}

# wait_ready waits for the kubeconfig as long as the command succeeds.
wait_ready() {
	until [[ -f $dir/kubeconfig ]]; do
		if ! "$@"; then
			cat "$dir/playground.log" >&2
			exit 1
		fi
		sleep 0.2
	done
}

up() {
	if running; then
		echo "playground: already running" >&2
		wait_ready running
	else
		start
	fi
	echo "export KUBECONFIG=$dir/kubeconfig"
}

start() {
	# Directories with anything else in them are not ours to clear.
	if [[ -e $dir && ! -f $dir/playground.log && -n $(ls -A "$dir") ]]; then
		echo "playground: $dir is not empty and no playground; name another directory" >&2
		exit 1
	fi
	local assets istio
	assets=$("$root/hack/kube/build.sh")
	(cd "$root" && go mod download istio.io/api)
	istio=$(go list -C "$root" -m -f '{{.Dir}}' istio.io/api)/kubernetes/customresourcedefinitions.gen.yaml
	rm -rf "$dir"
	mkdir -p "$dir"
	: >"$dir/playground.log"
	go build -C "$root" -o "$dir/playground" ./hack/playground
	echo "playground: starting three clusters" >&2
	(
		trap '' HUP
		exec "$dir/playground" -assets "$assets" -dir "$dir" -dumps "$root/testdata/dumps" -istio "$istio"
	) >>"$dir/playground.log" 2>&1 </dev/null &
	echo $! >"$dir/pid"
	wait_ready kill -0 $!
	use_meshctl
}

# use_meshctl makes a management cluster of one and registers the others.
use_meshctl() {
	local cluster
	export KUBECONFIG=$dir/kubeconfig
	"$root/bin/meshctl" install --context management >&2
	for cluster in east west; do
		"$root/bin/meshctl" cluster register "$cluster" --context management --remote-context "$cluster" >&2
	done
	"$root/bin/meshctl" discover --context management >&2
}

down() {
	if ! [[ -f $dir/pid ]]; then
		echo "playground: not running" >&2
		return
	fi
	if running; then
		kill "$(<"$dir/pid")"
		while running; do sleep 0.1; done
	fi
	rm -rf "$dir"
	echo "playground: stopped" >&2
}

case ${1:-} in
up) up ;;
down) down ;;
*) usage ;;
esac
