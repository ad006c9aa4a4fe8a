# Building and testing meshctl. Only Go, make and git have to be there: the tools
# are built from hack/tools/go.mod on first use and kept in Go's build cache.

SHELL := /bin/sh
.DEFAULT_GOAL := help

TOOL := go tool -modfile=hack/tools/go.mod
PREFIX ?= $(or $(shell go env GOBIN),$(shell go env GOPATH)/bin)

# A tree without git metadata still builds.
VERSION ?= $(or $(shell git describe --tags --match 'v*' --dirty 2>/dev/null),v0.1.0-dev)
COMMIT  ?= $(shell git describe --always --abbrev=40 --exclude '*' --dirty 2>/dev/null)
DATE    ?= $(shell git show --no-patch --format=%cI HEAD 2>/dev/null)
STAMP   := github.com/meshctl/meshctl/internal/commands/buildinfo
LDFLAGS := -s -w -X $(STAMP).buildVersion=$(VERSION) -X $(STAMP).buildCommit=$(COMMIT) -X $(STAMP).buildDate=$(DATE)

# The race detector needs a C compiler; without one the tests still run.
CC_FOUND := $(shell command -v $$(go env CC) 2>/dev/null)
RACE     := $(if $(CC_FOUND),-race)

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' Makefile

##@ Use

.PHONY: build
build: ## Build bin/meshctl
	go build -trimpath -ldflags '$(LDFLAGS)' -o bin/meshctl ./cmd/meshctl

# With a PREFIX, manual pages go where man looks next to it: PREFIX/../share/man.
MANUAL := $(if $(filter file default,$(origin PREFIX)),,$(PREFIX)/../share/man/man1)

.PHONY: install
install: build $(if $(MANUAL),man) ## Install meshctl into PREFIX (default: where `go install` does)
	mkdir -p '$(PREFIX)'
	cp bin/meshctl '$(PREFIX)/meshctl'
	$(if $(MANUAL),mkdir -p '$(MANUAL)' && cp dist/man/*.1 '$(MANUAL)')

.PHONY: man
man: ## Write the manual pages to dist/man
	SOURCE_DATE_EPOCH=$(or $(SOURCE_DATE_EPOCH),$(shell git show --no-patch --format=%ct HEAD 2>/dev/null),0) go run ./hack/docs man dist/man

IMAGE  ?= meshctl:$(patsubst v%,%,$(subst +,-,$(VERSION)))
ENGINE ?= $(firstword $(foreach engine,docker podman buildah,$(if $(shell command -v $(engine)),$(engine))))

.PHONY: image
image: ## Build the container image of the controller, with docker, podman or buildah
	@test -n '$(ENGINE)' || { echo 'image: neither docker nor podman nor buildah is installed; name another engine with ENGINE=' >&2; exit 1; }
	$(ENGINE) build --build-arg VERSION='$(VERSION)' --build-arg COMMIT='$(COMMIT)' --build-arg DATE='$(DATE)' -t '$(IMAGE)' .

.PHONY: demo
demo: ## Describe a workload of the bundled two-cluster world
	@go run ./cmd/meshctl describe workload productpage-v1.bookinfo.east -f testdata/worlds/bookinfo-two-clusters -R

##@ Develop

.PHONY: unit
unit: ## Run the fast tests
	go test ./...

# What needs clusters is beside it: e2e.
.PHONY: test
test: lint verify race scripts ## Run all checks and tests that need no clusters, as CI does

.PHONY: race
race: ## Run the tests with the race detector, but for those that start processes of meshctl
	$(if $(RACE),,@echo 'note: no C compiler found, the tests run without the race detector')
	go test $(RACE) -timeout 20m ./...

.PHONY: scripts
scripts: ## Run the tests that start processes of meshctl, without the race detector
	go test -timeout 20m ./internal/commands

.PHONY: e2e
e2e: ## Run the tests that need Kubernetes; builds a control plane on first use, which takes several minutes
	set -e; assets=$$(hack/kube/build.sh); vault=$$(hack/vault/build.sh); KUBE_ASSETS="$$assets" VAULT="$$vault" go test -tags e2e -timeout 30m ./test/e2e/...

# The lab, hack/lab, is a module of its own. It needs root, and the packages
# iproute2, nftables and iptables.
LAB_FLAGS ?=

.PHONY: lab
lab: lab-1.31 ## Hold what meshctl says against a real mesh: istiod and Envoy, on this machine; builds Istio on first use

.PHONY: lab-versions
lab-versions: lab-1.31 lab-1.29 ## Do so with all versions of Istio that the lab knows

.PHONY: lab-1.31 lab-1.29
lab-1.31 lab-1.29: lab-%: build
	set -e; assets=$$(hack/kube/build.sh); programs=$$(hack/lab/build.sh $*); cd hack/lab; KUBE_ASSETS="$$assets" LAB_PROGRAMS="$$programs" MESHCTL='$(CURDIR)/bin/meshctl' go test -timeout 40m $(LAB_FLAGS) ./...

.PHONY: lab-up
lab-up: build ## Start bookinfo in two clusters with real istiods and Envoys; prints what to set
	@hack/lab/lab.sh up

.PHONY: lab-down
lab-down: ## Stop what `make lab-up` started
	@hack/lab/lab.sh down

.PHONY: kube
kube: ## Build the Kubernetes control plane of the tests, unless that is done
	@hack/kube/build.sh

.PHONY: istio-check
istio-check: ## Hold what is rendered and described against Istio's own code; compiles Istio on first use
	cd hack/istio && go test -vet=off -timeout 30m ./...

.PHONY: playground
playground: build ## Start three clusters to try meshctl on; prints what to set
	@hack/kube/playground.sh up

.PHONY: playground-down
playground-down: ## Stop the clusters of `make playground`
	@hack/kube/playground.sh down

.PHONY: lint
lint: ## Check style, likely mistakes and the import rules
	$(TOOL) golangci-lint run --allow-parallel-runners
	cd hack/lab && go tool -modfile=../tools/go.mod golangci-lint run --config ../../.golangci.yml --allow-parallel-runners

.PHONY: format
format: ## Format the Go files
	$(TOOL) golangci-lint fmt

# What generates, which hack/verify-generated.sh builds before.
CONTROLLER_GEN ?= $(TOOL) controller-gen
DOCS           ?= go run ./hack/docs

.PHONY: generate
generate: ## Write deep copies, CRDs and generated docs anew
	$(CONTROLLER_GEN) object paths=./pkg/api/...
	$(CONTROLLER_GEN) crd:allowDangerousTypes=true paths=./pkg/api/... output:crd:dir=pkg/api/crds
	$(DOCS) docs

.PHONY: verify
verify: ## Fail if generated files are not what generate writes
	./hack/verify-generated.sh

.PHONY: bench
bench: ## Run the benchmarks of docs/performance.md
	go test -run '^$$' -bench . -benchmem -timeout 30m ./internal/...

.PHONY: update-golden
update-golden: ## Rewrite the expected results of tests; look at the difference before committing
	UPDATE=1 go test ./...

.PHONY: clean
clean: ## Remove what was built
	rm -rf bin dist
