# The two commands are `make demo` and `make test`; `make check` is the fast part of the tests.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMPS := .stamps
NPM := PATH="$(CURDIR)/$(BIN):$$PATH" $(CURDIR)/$(BIN)/npm
UI_SOURCES = $(shell find ui/src ui/public ui/index.html ui/package-lock.json ui/vite.config.ts -type f 2>/dev/null)
EXPRESS := examples/express
CLIENTS := tests/clients

.PHONY: help demo test check lint types imports unit ui oracle ui-test integration e2e conformance peers lock clean

help:
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /\1\t/' | expand -t 14

# --- building ---------------------------------------------------------------------------------------------------------

$(STAMPS)/venv: pyproject.toml sdk/pyproject.toml requirements-dev.txt
	@echo "[setup] Python environment in $(VENV) (a few minutes at first, nothing later)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Spyglass needs Python 3.11 or newer; set PYTHON=..."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "python3-venv is missing: apt-get install python3-venv"; exit 1; }
	@$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e . -e sdk
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/ui-packages: ui/package-lock.json $(STAMPS)/venv
	@echo "[setup] packages of the web UI"
	@cd ui && $(NPM) ci --no-audit --no-fund --loglevel=error
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/ui: $(UI_SOURCES) $(STAMPS)/ui-packages
	@echo "[setup] building the web UI"
	@cd ui && $(NPM) run build --silent -- --logLevel warn
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/express: $(EXPRESS)/package-lock.json $(STAMPS)/venv
	@echo "[setup] packages of the Express example"
	@cd $(EXPRESS) && $(NPM) ci --no-audit --no-fund --loglevel=error
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/clients: $(CLIENTS)/package-lock.json $(STAMPS)/venv
	@echo "[setup] Loki's clients for Node"
	@cd $(CLIENTS) && $(NPM) ci --no-audit --no-fund --loglevel=error
	@mkdir -p $(STAMPS) && touch $@

ui: $(STAMPS)/ui  ## build the web UI into ui/dist

# --- running ----------------------------------------------------------------------------------------------------------

demo: $(STAMPS)/venv $(STAMPS)/ui  ## the running stack with live data; Ctrl-C stops it
	@$(BIN)/spyglass demo

# --- testing ----------------------------------------------------------------------------------------------------------

lint: $(STAMPS)/venv  ## ruff
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: $(STAMPS)/venv  ## mypy, strict
	@$(BIN)/mypy

imports: $(STAMPS)/venv  ## import directions
	@$(BIN)/lint-imports --no-logo

# Two processes, and each file in one of them: fixtures of a module are made once.
unit: $(STAMPS)/venv  ## unit tests
	@$(BIN)/pytest tests/unit -n 2 --dist loadfile

check: lint types imports unit  ## the fast part: lint, types, import directions, unit tests

# The real programs that tests talk to. Debian starts some as services: that is not wanted here.
PEERS := prometheus prometheus-alertmanager prometheus-node-exporter chromium
peers:  ## install the real programs that tests talk to (Debian packages)
	@missing=""; for p in $(PEERS); do dpkg -s $$p >/dev/null 2>&1 || missing="$$missing $$p"; done; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" != 0 ]; then echo "the tests need these Debian packages, and installing them needs root:"; \
	  echo "  sudo apt-get install --no-install-recommends$$missing"; exit 1; fi; \
	echo "[setup] Debian packages:$$missing"; export DEBIAN_FRONTEND=noninteractive; \
	printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d.spyglass && chmod +x /usr/sbin/policy-rc.d.spyglass; \
	test -e /usr/sbin/policy-rc.d || { mv /usr/sbin/policy-rc.d.spyglass /usr/sbin/policy-rc.d; own=1; }; \
	{ apt-get update -qq && apt-get install -y -qq --no-install-recommends $$missing >/dev/null; }; status=$$?; \
	rm -f /usr/sbin/policy-rc.d.spyglass; [ -z "$$own" ] || rm -f /usr/sbin/policy-rc.d; exit $$status

conformance: $(STAMPS)/venv  ## upstream's own test data
	@$(BIN)/pytest tests/conformance

integration: $(STAMPS)/venv $(STAMPS)/ui $(STAMPS)/express $(STAMPS)/clients peers  ## real peers, crashes, the whole stack
	@$(BIN)/pytest tests/integration

$(STAMPS)/oracle: ui/oracle/package-lock.json $(STAMPS)/ui-packages
	@echo "[setup] Grafana's data library, which the web UI is compared with"
	@cd ui/oracle && $(NPM) ci --no-audit --no-fund --loglevel=error
	@mkdir -p $(STAMPS) && touch $@

oracle: $(STAMPS)/oracle  ## the web UI against Grafana's own library: units, values, calculations, overrides, transformations
	@cd ui && $(NPM) run --silent test:oracle

ui-test: $(STAMPS)/ui peers  ## the web UI's own tests and budgets
	@cd ui && $(NPM) run --silent test

e2e: $(STAMPS)/ui peers  ## a real browser against the real server
	@$(BIN)/pytest tests/e2e

test: check conformance integration oracle ui-test e2e  ## everything

# --- keeping house ----------------------------------------------------------------------------------------------------

COMPILE := pip-compile -q --strip-extras --allow-unsafe --generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options
lock: $(STAMPS)/venv  ## lock files anew, with hashes and without addresses
	@$(BIN)/pip install -q pip-tools
	@$(BIN)/$(COMPILE) -o requirements.txt pyproject.toml
	@$(BIN)/$(COMPILE) -c requirements.txt -o requirements-dev.txt pyproject.toml requirements-dev.in

clean:  ## remove what was built (never data)
	rm -rf $(VENV) $(STAMPS) ui/node_modules ui/oracle/node_modules ui/dist $(EXPRESS)/node_modules $(CLIENTS)/node_modules build dist
