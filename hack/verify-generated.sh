#!/usr/bin/env bash
# Fails if the generated files differ from what `make generate` would write now.
# It generates in a copy, so the tree stays as it is, and it needs no git
# metadata, so it also works in a release archive and with uncommitted changes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Everything that `make generate` may touch.
generated=(pkg/api docs)

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
tar -cf - --exclude=./.git --exclude=./bin --exclude=./dist . | tar -xf - -C "$copy"

# What generates is built here: in another directory, the build cache would not
# recognise the same packages.
go build -o "$copy/bin/docs" ./hack/docs
controller_gen=$(go tool -modfile=hack/tools/go.mod -n controller-gen)

if ! make --no-print-directory -C "$copy" generate CONTROLLER_GEN="$controller_gen" DOCS=bin/docs >"$copy/bin/log" 2>&1; then
	cat "$copy/bin/log" >&2
	echo "verify: 'make generate' fails" >&2
	exit 1
fi

stale=0
for path in "${generated[@]}"; do
	if ! diff -ru "$path" "$copy/$path"; then
		stale=1
	fi
done
if [[ $stale -ne 0 ]]; then
	echo "verify: generated files are not up to date; run 'make generate' and commit the result" >&2
	exit 1
fi
echo "verify: generated files are up to date"
