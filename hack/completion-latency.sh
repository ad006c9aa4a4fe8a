#!/usr/bin/env bash
# Compares how long completion takes with how long kubectl's takes, for
# docs/performance.md. The commands take turns, and the least of their times
# counts, since everything that disturbs only adds to it.
#
#   hack/completion-latency.sh [WORLD] [RUNS]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

world=${1:-testdata/worlds/bookinfo-two-clusters}
runs=${2:-20}
meshctl=$(mktemp -d)/meshctl
trap 'rm -rf "$(dirname "$meshctl")"' EXIT
go build -trimpath -ldflags '-s -w' -o "$meshctl" ./cmd/meshctl

# Neither configuration nor a cluster.
export KUBECONFIG=/dev/null XDG_CONFIG_HOME=/nonexistent

baseline='kubectl __complete get pods ""'
commands=(
	"$baseline"
	"$meshctl __complete describe workload -f $world -R ''"
	"$meshctl __complete describe workload -o ''"
	"$meshctl version --client"
	"kubectl version --client"
)
declare -A real cpu
TIMEFORMAT='%R %U %S'
for ((run = 0; run < runs; run++)); do
	for command in "${commands[@]}"; do
		# What a command prints goes nowhere; what `time` prints is read.
		read -r r u s < <({ time eval "$command" >/dev/null 2>&1 || true; } 2>&1)
		milliseconds=$(awk -v r="$r" 'BEGIN { print r * 1000 }')
		processor=$(awk -v u="$u" -v s="$s" 'BEGIN { print (u + s) * 1000 }')
		real[$command]=$(awk -v a="${real[$command]:-1e9}" -v b="$milliseconds" 'BEGIN { print (a < b ? a : b) }')
		cpu[$command]=$(awk -v a="${cpu[$command]:-1e9}" -v b="$processor" 'BEGIN { print (a < b ? a : b) }')
	done
done

printf '%-70s %8s %8s %8s\n' command ms cpu-ms ratio
for command in "${commands[@]}"; do
	ratio=$(awk -v a="${real[$command]}" -v b="${real[$baseline]}" 'BEGIN { printf "%.2f", a / b }')
	printf '%-70s %8s %8s %8s\n' "${command//"$meshctl"/meshctl}" "${real[$command]}" "${cpu[$command]}" "$ratio"
done
