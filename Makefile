# The two commands are `make demo` and `make test`; `make check` is the fast part of the tests.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMPS := .stamps

.PHONY: help demo test check lint types imports unit clean

help:
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

$(STAMPS)/venv: pyproject.toml requirements-dev.txt
	@echo "[1/3] Python environment in $(VENV)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Spyglass needs Python 3.11 or newer"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@mkdir -p $(STAMPS) && touch $@

lint: $(STAMPS)/venv  ## ruff
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: $(STAMPS)/venv  ## mypy, strict
	@$(BIN)/mypy

imports: $(STAMPS)/venv  ## import directions
	@$(BIN)/lint-imports

unit: $(STAMPS)/venv  ## unit tests
	@$(BIN)/pytest tests/unit

check: lint types imports unit  ## the fast part: lint, types, import directions, unit tests

test: check  ## everything

clean:  ## remove what was built (never data)
	rm -rf $(VENV) $(STAMPS) ui/node_modules ui/dist build dist
