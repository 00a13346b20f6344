# Needs Python 3.11 or later, make and a package registry; everything else goes into .venv.
# Another Python: remove .venv, then make app PYTHON=python3.12

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
READY := $(VENV)/ready

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help app test test-fast test-long mutants bench bench-app lint lock setup

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

app: $(READY) ## set up if needed, then open the app on the baseline scenario (PORT=... for another port)
	@$(BIN)/nexthour app $(if $(PORT),--port $(PORT))

test: lint ## set up if needed, check the code, run the tests
	@echo "Running the tests ..."
	@$(BIN)/python -m pytest

test-fast: lint ## the quick tests, after each change
	@echo "Running the quick tests ..."
	@$(BIN)/python -m pytest -m "not long and not slow"

SEED ?= $(shell date +%s)
test-long: $(READY) ## the generated and statistical tests again, fresh seeds, many more cases (SEED=... to repeat), and the long ones
	@echo "Running the long tests with SEED=$(SEED) ..."
	@EXAMPLES=1000 FRESH_SEEDS=1 CLAIMS_SEED=$(SEED) CLAIMS_RUNS=4000 \
	    $(BIN)/python -m pytest -m "generated and not long" --hypothesis-seed=$(SEED)
	@SEED=$(SEED) $(BIN)/python -m pytest -m long

mutants: $(READY) ## make hundreds of faults and see that tests notice; hours, goes on where it stopped (MUTANTS="--part 1/8")
	@$(BIN)/python -m tests.mutants $(MUTANTS)

bench: $(READY) ## measure speed
	@echo "Measuring ..."
	@$(BIN)/python -m benchmarks.run

bench-app: $(READY) ## measure the app in a browser, on an idle machine (needs chromium)
	@echo "Measuring the app ..."
	@$(BIN)/python -m benchmarks.app

# Each tool is silent unless it finds something; then its own words are shown.
quietly = out=$$($(1) 2>&1) || { printf '%s\n' "$$out"; exit 1; }

lint: $(READY) ## check style, types and who imports whom
	@echo "Checking style ..."
	@$(call quietly,$(BIN)/ruff check --quiet .)
	@$(call quietly,$(BIN)/ruff format --check .)
	@echo "Checking types ..."
	@$(call quietly,$(BIN)/mypy)
	@echo "Checking imports ..."
	@$(call quietly,$(BIN)/lint-imports)

lock: $(UV) ## resolve the dependencies anew; newest versions with LOCK_FLAGS=--upgrade
	@echo "Resolving dependencies into requirements.lock ..."
	@$(UV) pip compile pyproject.toml --quiet --all-extras --generate-hashes --no-emit-index-url --universal \
	    --custom-compile-command "make lock" $(LOCK_FLAGS) -o requirements.lock

setup: $(READY) ## make .venv and install everything into it
	@echo "$(VENV) is ready."

$(UV):
	@command -v "$(PYTHON)" >/dev/null || \
	    { echo "Next Hour needs Python 3.11 or later; '$(PYTHON)' was not found. Try: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "Next Hour needs Python 3.11 or later; '$(PYTHON)' is older. Try: make PYTHON=python3.11" >&2; exit 1; }
	@echo "Making $(VENV) ..."
	@$(call quietly,"$(PYTHON)" -m venv --clear $(VENV))
	@$(BIN)/python -m pip install -qq --disable-pip-version-check uv

$(READY): requirements.lock pyproject.toml | $(UV)
	@echo "Installing what requirements.lock lists ..."
	@$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	@echo "Installing nexthour from this folder ..."
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@$(UV) pip check --quiet --python $(BIN)/python || \
	    { echo "requirements.lock does not fit pyproject.toml: run make lock" >&2; exit 1; }
	@touch $@
