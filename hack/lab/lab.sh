#!/usr/bin/env bash
# Keeps a mesh running in the background - bookinfo in two clusters, with real
# istiods and Envoys - to try things by hand:
#
#   hack/lab/lab.sh up
#   hack/lab/lab.sh exec WORKLOAD.NAMESPACE.CLUSTER COMMAND...
#   hack/lab/lab.sh down
#
# `up` prints the kubeconfig to use; `exec` runs a command of this machine, such
# as curl, in the network of a pod; `down` stops everything.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# Proxies are another user, who cannot enter the home directory of root.
dir=${LAB_DIR:-/var/tmp/meshctl-lab-$(id -u)}

usage() {
	echo "usage: $0 up | exec WORKLOAD.NAMESPACE.CLUSTER COMMAND... | down" >&2
	exit 2
}

# running tells whether the process of this directory is alive. Its command line
# is compared, since the number may belong to another process after a reboot.
running() {
	[[ -f $dir/pid ]] && ps -o args= -p "$(<"$dir/pid")" 2>/dev/null | grep -qF -- "-dir $dir"
}

up() {
	if ! running; then
		# Directories with anything else in them are not ours to clear.
		if [[ -e $dir && ! -f $dir/lab.log && -n $(ls -A "$dir") ]]; then
			echo "lab: $dir is not empty and no lab; name another directory with LAB_DIR=" >&2
			exit 1
		fi
		local assets programs
		assets=$("$root/hack/kube/build.sh")
		programs=$("$root/hack/lab/build.sh")
		rm -rf "$dir"
		mkdir -p "$dir"
		: >"$dir/lab.log"
		go build -C "$root/hack/lab" -o "$dir/lab" ./cmd/lab
		echo "lab: starting; this takes about a minute" >&2
		setsid "$dir/lab" up -dir "$dir" -kube "$assets" -programs "$programs" -meshctl "$root/bin/meshctl" -root "$root" \
			>>"$dir/lab.log" 2>&1 </dev/null &
		echo $! >"$dir/pid"
	fi
	until [[ -f $dir/ready ]]; do
		if ! running; then
			cat "$dir/lab.log" >&2
			exit 1
		fi
		sleep 0.2
	done
	echo "export KUBECONFIG=$dir/kubeconfig"
	echo "# then, for example:"
	echo "#   hack/lab/lab.sh exec productpage-v1.bookinfo.east curl -s http://reviews:9080/reviews/1"
}

down() {
	if running; then
		kill "$(<"$dir/pid")"
		while running; do sleep 0.1; done
	fi
	if [[ -f $dir/lab.log ]]; then
		rm -rf "$dir"
	fi
	echo "lab: stopped" >&2
}

case ${1:-} in
up) up ;;
down) down ;;
exec)
	shift
	[[ $# -ge 2 ]] || usage
	exec "$dir/lab" exec -dir "$dir" "$@"
	;;
*) usage ;;
esac
