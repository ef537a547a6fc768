# What is done with this tree. `make` alone lists the targets; the CI calls nothing else.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

# How long each fuzz target runs, and which packages and further flags the tests get.
FUZZTIME ?= 30s
PACKAGES ?= ./...
TESTFLAGS ?=
# Which account `make conformance` is about.
ACCOUNT ?=
# The first seed of `make simtest` and `make chaos`, how many worlds the one runs, how many runs the
# other makes one after the other, and how long each of those trades.
SEED ?= 1
SEEDS ?= 2000
RUNS ?= 3
LENGTH ?= 1h

golangci := go tool -modfile=tools/go.mod golangci-lint
# The tests give durability up for speed; what is measured keeps it.
fast_postgres := go run ./internal/testpostgres -fast --
durable_postgres := go run ./internal/testpostgres --
# One package may take this long with the race detector on a small machine.
test := go test -timeout 20m

.PHONY: help
help: ## List the targets.
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "%-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: ## Run a trial house with simulated providers; needs nothing but Go.
	go run . dev --demo

.PHONY: build
build: ## Build the static binary build/paydesk.
	CGO_ENABLED=0 go build -trimpath -o build/paydesk .

.PHONY: test
test: ## Run all tests with the race detector beside a throw-away PostgreSQL.
	@scripts/test-needs.sh
	$(fast_postgres) $(test) -race $(TESTFLAGS) $(PACKAGES)

.PHONY: test-pg
test-pg: ## Run the tests of the store and its migrations alone.
	$(fast_postgres) $(test) $(TESTFLAGS) ./adapters/bunrepo/... ./migrations/...

# Without the race detector, under which the store is many times slower; `make test` runs some seeds with it.
.PHONY: simtest
simtest: ## Run SEEDS (2000) simulated worlds from SEED (1) on, and check that nothing is lost in any.
	$(test) -count 1 -run '^TestSeeds$$' -v ./app/simtest -first $(SEED) -seeds $(SEEDS)

# At most two calls at a time: sandboxes are slow, and limit their callers.
.PHONY: conformance
conformance: ## Hold the account ACCOUNT, which the environment configures, to the suite at its real sandbox.
	@[[ -n "$(ACCOUNT)" ]] || { echo "conformance: name an account: make conformance ACCOUNT=paypal" >&2; exit 2; }
	PAYDESK_CONFORMANCE_ACCOUNT="$(ACCOUNT)" $(test) -count 1 -parallel 2 -run '^TestSandbox$$' -v ./app/conformance

# Both databases at the same time. What it takes longer than LENGTH is for everything to settle.
.PHONY: chaos
chaos: ## Break the program while it trades, for LENGTH (1h; short) by each of RUNS (3) seeds from SEED (1) on.
	@for seed in $$(seq $(SEED) $$(($(SEED) + $(RUNS) - 1))); do \
		PAYDESK_CHAOS_SEED=$$seed PAYDESK_CHAOS_LENGTH=$(LENGTH) $(fast_postgres) go test -timeout 24h -count 1 -run '^TestChaos$$' -v ./app/chaos; \
	done

.PHONY: bench
bench: ## Run the benchmarks beside a durable PostgreSQL.
	$(durable_postgres) $(test) -run '^$$' -bench . -benchmem $(TESTFLAGS) $(PACKAGES)

.PHONY: fuzz
fuzz: ## Run each fuzz target for FUZZTIME (30s).
	@grep -roE '^func Fuzz[A-Za-z0-9_]+' --include='*_test.go' . | sed -E 's|/[^/]+:func | |' | sort | \
	while read -r package target; do \
		echo "$$package $$target"; \
		go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) "$$package"; \
	done

.PHONY: cover
cover: ## Measure the tests' coverage of the whole tree into build/cover.html.
	@scripts/test-needs.sh
	@mkdir -p build
	$(fast_postgres) $(test) -coverpkg=./... -coverprofile=build/cover.out $(TESTFLAGS) $(PACKAGES)
	go tool cover -html=build/cover.out -o build/cover.html
	@go tool cover -func=build/cover.out | tail -n 1

.PHONY: lint
lint: ## Check style, likely mistakes and import rules; its first build takes minutes.
	$(golangci) config verify
	$(golangci) run $(PACKAGES)

.PHONY: fmt
fmt: ## Lay out all Go files as lint wants them.
	$(golangci) fmt

# In this order: the wiring needs the generated executor, the documents need the wired program.
.PHONY: generate
generate: generate-graph generate-wire generate-docs ## Write all generated files anew.

.PHONY: generate-graph
generate-graph:
	go tool gqlgen generate
	go tool genqlient adapters/web/console/genqlient.yaml
	go tool templ generate -path adapters/web/console

# Called here and not by go generate: the directive that wire leaves in its output names no version and may rewrite go.mod.
.PHONY: generate-wire
generate-wire:
	go tool wire gen .

.PHONY: generate-docs
generate-docs:
	go run ./internal/docgen

# Sums of all that generate-graph and generate-docs may write; the order of the files must not hang on the locale.
fingerprint := find graph docs -type f -exec cksum {} + | LC_ALL=C sort -k 3

.PHONY: verify
verify: ## Fail if a generated file, a go.mod or the layout is not up to date.
	@go mod tidy -diff && (cd tools && go mod tidy -diff) || { echo "verify: a go.mod is not tidy: run make tidy" >&2; exit 1; }
	@go tool wire diff . || { echo "verify: wire_gen.go is not up to date: run make generate" >&2; exit 1; }
	@before=$$($(fingerprint)); \
	$(MAKE) --no-print-directory --silent generate-graph generate-docs; \
	diff <(echo "$$before") <($(fingerprint)) || { echo "verify: the files above were not up to date: run make generate" >&2; exit 1; }
	@unformatted=$$(find . -name '*.go' -not -path './.*' -print0 | xargs -0 gofmt -l); \
	[[ -z "$$unformatted" ]] || { echo "verify: not formatted: $$unformatted: run make fmt" >&2; exit 1; }

.PHONY: tidy
tidy: ## Bring go.mod and go.sum of both modules up to date.
	go mod tidy
	cd tools && go mod tidy

.PHONY: clean
clean: ## Remove what the other targets left in build.
	rm -rf build
