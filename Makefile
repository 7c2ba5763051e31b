# Every target sets up what it needs first; a second run skips what is already there.
# Arguments go in ARGS: make demo ARGS="--visits 3 --exit" · make test ARGS="tests/core -x"
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
UV := $(BIN)/uv pip
.PHONY: setup demo test check bench docs lock clean

setup: $(VENV)/.developing  ## .venv with the tapwatt command and the development tools

demo: $(VENV)/.running  ## a whole site on this machine
	@$(BIN)/tapwatt demo $(ARGS)

test: check  ## everything that must be true; ARGS go to pytest
	$(BIN)/pytest -n 2 --dist loadfile $(ARGS)

check: $(VENV)/.developing  ## style, types and import contracts: seconds, no test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.developing  ## figures into docs/bench.md; ARGS name the benches, all by default
	@$(BIN)/python -m bench $(ARGS)

docs: $(VENV)/.developing  ## the pages that are written by the code
	$(BIN)/tapwatt settings --page > docs/settings.md
	$(BIN)/python docs/draw_states.py
	$(BIN)/python docs/make_screens.py

# The locks carry hashes and no address: where packages come from is the machine's own business.
lock: $(VENV)/.tools  ## choose the newest allowed versions again
	$(UV) compile -q --upgrade --universal --generate-hashes --no-header --no-annotate \
		--group build -o requirements.lock pyproject.toml
	$(UV) compile -q --upgrade --universal --generate-hashes --no-header --no-annotate \
		--group build --group dev -c requirements.lock -o requirements-dev.lock pyproject.toml

clean:  ## forget the environment and the caches; .tapwatt (data) stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

# --- what the targets stand on -------------------------------------------------------------------
NEEDS := Tapwatt needs make, git and Python 3.11 or newer with its venv module: on Debian, run \
apt-get install make git python3-venv, then this again.

# Debian's own Python refuses packages from outside (PEP 668) and may be python3 or python3.11 only.
$(VENV)/.made:
	@command -v git >/dev/null || { echo "$(NEEDS)" >&2; exit 1; }; \
	$(BIN)/python -m pip --version >/dev/null 2>&1 && exit 0; \
	for python in $(PYTHON) python3 python3.11 python3.12 python3.13 python3.14; do \
		$$python -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
			&& exec $$python -m venv --clear $(VENV); \
	done; echo "$(NEEDS)" >&2; exit 1
	@touch $@

# uv comes out of the same lock as everything else; pip checks its hash.
$(VENV)/.tools: requirements.lock | $(VENV)/.made
	@awk '/^uv==/ {on = 1} on {print} on && !/\\$$/ {exit}' requirements.lock > $(VENV)/uv.lock
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r $(VENV)/uv.lock
	@touch $@

$(VENV)/.running: $(VENV)/.tools pyproject.toml
	@echo "Installing what Tapwatt runs on (requirements.lock)" >&2
	@$(UV) install -q --python $(BIN)/python --require-hashes -r requirements.lock
	@$(UV) install -q --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.developing: requirements-dev.lock $(VENV)/.running
	@echo "Installing the development tools (requirements-dev.lock)" >&2
	@$(UV) install -q --python $(BIN)/python --require-hashes -r requirements-dev.lock
	@touch $@
