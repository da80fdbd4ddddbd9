# `make` alone lists the targets. Nothing here needs more than Python 3.11+, make and a C compiler.
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
SHELL := /bin/bash

PYTHON ?= python3
VENV := .venv/bin
STAMP := .venv/.stamp
CODEGEN := .codegen/.stamp .codegen-mypy/.stamp .codegen-go/.stamp
SOURCES := src clients/python/src tests tools $(wildcard examples benchmarks)
# Extra arguments for pytest, for example: make test ARGS="-k gate"
ARGS ?=
# Two processes: the clients' builds and the servers' waits overlap. PARALLEL= runs one after another.
PARALLEL ?= --numprocesses=2 --dist=loadscope --no-loadscope-reorder

.PHONY: help
help: ## list the targets
	@echo "Assay: a model registry that proves a model before it serves it."
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

.PHONY: setup
setup: $(STAMP) ## make .venv with everything pinned (done by the other targets when needed)

$(STAMP): pyproject.toml clients/python/pyproject.toml requirements/build.txt requirements/constraints.txt tools/set_up.sh
	@echo "Setting up"
	@PYTHON="$(PYTHON)" tools/set_up.sh

.PHONY: demo
demo: $(STAMP) ## train, push, evaluate, gate, publish, pull: the main job, narrated
	@$(VENV)/python examples/demo/run.py

.PHONY: serve
serve: $(STAMP) ## run a development server here and make it your current context (ARGS=--no-context: do not)
	@$(VENV)/assay-server dev $(ARGS)

.PHONY: test
test: $(STAMP) $(CODEGEN) ## run every test; pytest's summary is the last line
	@$(VENV)/python -m pytest $(PARALLEL) $(ARGS)

# How long `make torture` goes on: kills per database, power cuts, losses of PostgreSQL, ….
KILLS ?= 100
CUTS ?= 100
LOSSES ?= 40
BACKUPS ?= 12
HISTORY_S ?= 60
EXAMPLES ?= 100
SEED ?= 0

.PHONY: torture
torture: $(STAMP) ## the fault suite for longer (KILLS, CUTS, LOSSES, BACKUPS, HISTORY_S, EXAMPLES, SEED)
	@ASSAY_KILLS=$(KILLS) ASSAY_CUTS=$(CUTS) ASSAY_LOSSES=$(LOSSES) ASSAY_BACKUPS=$(BACKUPS) \
		ASSAY_HISTORY_S=$(HISTORY_S) ASSAY_SEED=$(SEED) ASSAY_RPCS=100 \
		ASSAY_EXAMPLES=$(EXAMPLES) ASSAY_STEPS=60 \
		$(VENV)/python -m pytest -s --timeout=0 tests/faults tests/backup/test_under_load.py \
		$(if $(filter-out 0,$(SEED)),--hypothesis-seed=$(SEED)) $(ARGS)

# How often `make abuse` restarts a server, and how many times a short round its attacks are.
RESTARTS ?= 50
ATTACKS ?= 25

.PHONY: abuse
abuse: $(STAMP) ## hostile clients beside polite ones, and restarts under load (ATTACKS, RESTARTS)
	@ASSAY_ABUSE=$(ATTACKS) ASSAY_RESTARTS=$(RESTARTS) $(VENV)/python -m pytest -q -s --timeout=0 tests/abuse $(ARGS)

.PHONY: counts
counts: $(STAMP) ## count calls of every kind against the trail, 20 rounds on each database, about two minutes
	@ASSAY_COUNT_ROUNDS=20 $(VENV)/python -m pytest -q -s --timeout=0 tests/wire/test_counts.py $(ARGS)

.PHONY: mutants
mutants: $(STAMP) ## break the server in many ways: a test must notice each
	@$(VENV)/python -m tests.faults.mutants $(ARGS)

.PHONY: scenario
scenario: $(STAMP) $(CODEGEN) ## one scenario in Python, Go and Java against one server, and the table of what they saw
	@$(VENV)/python -m pytest -q -s tests/clients/scenario $(ARGS)

.PHONY: clean-clients
clean-clients: $(STAMP) ## build Go and Java from the tracked files, each with its own toolchain alone
	@$(VENV)/python tools/build_clean_clients.py

.PHONY: check
check: $(STAMP) $(CODEGEN) ## lint, format, types, floors, house tests
	@$(VENV)/ruff check $(SOURCES)
	@$(VENV)/ruff format --check --quiet $(SOURCES)
	@$(VENV)/mypy
	@$(VENV)/lint-imports --no-cache >/dev/null || $(VENV)/lint-imports --no-cache
	@$(VENV)/python -m pytest -q tests/house

.PHONY: format
format: $(STAMP) ## rewrite sources in the house format
	@$(VENV)/ruff check --fix --quiet $(SOURCES) || true
	@$(VENV)/ruff format --quiet $(SOURCES)

.PHONY: proto
proto: $(STAMP) $(CODEGEN) ## check proto/ and regenerate the stubs from it
	@$(VENV)/python tools/generate_stubs.py

.codegen/.stamp: requirements/codegen.txt tools/make_tool_venv.sh | $(STAMP)
	@PYTHON=$(VENV)/python tools/make_tool_venv.sh .codegen requirements/codegen.txt

.codegen-mypy/.stamp: requirements/codegen-mypy.txt tools/make_tool_venv.sh | $(STAMP)
	@PYTHON=$(VENV)/python tools/make_tool_venv.sh .codegen-mypy requirements/codegen-mypy.txt

# Leaves no stamp where Go is missing: the tests then say so, and the rest of the house goes on.
.codegen-go/.stamp: tools/go/go.mod tools/go/go.sum tools/make_go_tools.sh
	@tools/make_go_tools.sh

.PHONY: docs
docs: $(STAMP) ## rewrite docs/cli.md and the common tables of the READMEs of the clients
	@$(VENV)/python tools/document_cli.py
	@$(VENV)/python tools/document_clients.py

.PHONY: bench
bench: ## list the benchmarks
	@found=$$(ls benchmarks/bench_*.py 2>/dev/null); \
	if [ -z "$$found" ]; then echo "There are no benchmarks yet."; else \
		echo "Run one with $(VENV)/python <file>:"; \
		for file in $$found; do printf '  %-40s %s\n' "$$file" \
			"$$(sed -n '1s/^"""\(.*[^"]\)\(\"\"\"\)*$$/\1/p' $$file)"; done; fi

.bench-mlflow/.stamp: requirements/bench-mlflow.txt tools/make_tool_venv.sh | $(STAMP)
	@PYTHON=$(VENV)/python tools/make_tool_venv.sh .bench-mlflow requirements/bench-mlflow.txt

.PHONY: bench-metadata
bench-metadata: $(STAMP) .bench-mlflow/.stamp ## metadata calls beside MLflow's registry, some 20 minutes
	@$(VENV)/python benchmarks/bench_metadata.py $(ARGS)

.PHONY: bench-watch
bench-watch: $(STAMP) ## from commit to delivery before a thousand watchers
	@$(VENV)/python benchmarks/bench_watch.py $(ARGS)

.PHONY: big-transfer
big-transfer: $(STAMP) ## 1 and 4 GiB each way in Python, Go and Java, memory watched: 5 minutes, 12 GiB of disk
	@$(VENV)/python benchmarks/bench_transfer.py $(ARGS)

.PHONY: profile
profile: $(STAMP) ## where a read and a publication spend the server's time
	@$(VENV)/python benchmarks/profile_calls.py $(ARGS)

.PHONY: statements
statements: $(STAMP) ## every statement that a change asks of SQLite and of PostgreSQL, and how many
	@ASSAY_STATEMENTS=1 $(VENV)/python -m pytest -q -s tests/wire/test_statements.py $(ARGS)

.PHONY: constraints
constraints: ## renew requirements/constraints.txt from the newest releases pyproject.toml allows
	@tools/renew_constraints.sh

.PHONY: clean
clean: ## remove environments, caches and everything else that was made
	@rm -rf .venv .codegen .codegen-mypy .codegen-go .bench-mlflow .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis \
		.import_linter_cache dist build
	@find src clients tests tools -name __pycache__ -type d -prune -exec rm -rf {} +
