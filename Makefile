# One command runner for people and for .ci/run; every target has its help line.

ifeq ($(origin PYTHON),undefined)
PYTHON := $(shell python3.11 -c "" 2>/dev/null && echo python3.11 || echo python3)
endif
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet -c constraints.txt
PROSE := README.md CHANGELOG.md CONTRIBUTING.md ARCHITECTURE.md docs
PROGRAMS := src tests scripts $(wildcard pretrain benchmarks)
CLIENTS := tests/azure/clients
PEERS := tests/contract/peers
DOCKER_APP := src/foveal/exporters/templates/docker/app
NODE_FILES := $(addprefix $(CLIENTS)/,package.json package-lock.json .npmrc)
PORTAL := hatch_build.py $(wildcard portal/*.* portal/.npmrc) $(shell find portal/src -type f ! -name "*.gen.d.ts")
NODE := PATH="$(CURDIR)/$(BIN):$$PATH"

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup setup-dev demo test test-fast fmt lint types imports portal docs clean

help: ## Say what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/.core ## Make .venv with what the server needs

setup-dev: .venv/.dev .venv/.clients .venv/.peers portal/node_modules/.made ## Make .venv with everything for development and tests

demo: .venv/.core ## Show the whole story on sample photos: train, judge, publish, predict, export
	$(BIN)/foveal demo

test: .venv/.dev .venv/.clients .venv/.peers lint types imports portal ## Run every check and every test that needs no GPU and no internet
	$(BIN)/pytest -n 2 --dist loadgroup -m "not gpu and not network"

test-fast: .venv/.dev ## Run the quick tests, about a minute in all
	$(BIN)/pytest -n 2 -m "not slow and not gpu and not network and not portal and not postgres"

fmt: .venv/.dev ## Format the code and mend what ruff can mend safely
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

lint: .venv/.dev ## Check style, spelling, file lengths and house rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell --skip "*.onnx,package-lock.json,src/foveal/portal_dist" $(PROGRAMS) portal/src hatch_build.py $(PROSE)
	$(BIN)/python scripts/check_files.py
	$(BIN)/python scripts/check_house.py

types: .venv/.dev ## Check the types
	$(BIN)/basedpyright

imports: .venv/.dev ## Check that each room imports only rooms below it
	$(BIN)/lint-imports

portal: .venv/.dev portal/node_modules/.made ## Check the portal's types and style, and run the tests of its pure functions
	$(BIN)/python scripts/make_api_types.py
	cd portal && $(NODE) npm run --silent types && $(NODE) npm run --silent lint && $(NODE) npm test --silent

docs: .venv/.dev ## Write the reference pages that are made from the code
	$(BIN)/python scripts/make_operations.py

clean: ## Delete .venv and everything that tools left behind; your data folders stay
	rm -rf .venv portal/node_modules src/foveal/portal_dist build dist .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find src tests scripts $(wildcard pretrain benchmarks) -name __pycache__ -type d -prune -exec rm -rf {} +

# Stamps: a second run does nothing until a requirement changes.
.venv/.made:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Foveal needs Python 3.11 or newer.")'
	$(PYTHON) -m venv .venv
	touch $@

.venv/.core: .venv/.made pyproject.toml constraints.txt $(PORTAL)
	@echo "Installing what the server needs into .venv"
	$(PIP) -e .
	touch $@

.venv/.dev: .venv/.made pyproject.toml constraints.txt $(PORTAL)
	@echo "Installing everything for development into .venv; the first time takes a few minutes"
	$(PIP) -e '.[dev,export,hub,postgres,train]'
	touch .venv/.core $@

# Clients that the tests run against the service. An old SDK uses the needs of the new one, so it comes without its own.
.venv/.clients: $(CLIENTS)/python-sdks.txt $(NODE_FILES) | .venv/.dev
	@echo "Installing the clients that the tests run into .venv/clients"
	rm -rf .venv/clients
	mkdir -p .venv/clients/node
	for sdk in $$(cat $<); do $(BIN)/python -m pip install --quiet --no-deps --target .venv/clients/python-$${sdk##*==} $$sdk || exit; done
	cp $(NODE_FILES) .venv/clients/node
	$(BIN)/npm ci --prefix .venv/clients/node
	touch $@

# What checks the portal; what builds it comes and goes with the build.
portal/node_modules/.made: portal/package-lock.json portal/.npmrc | .venv/.dev
	$(NODE) npm ci --prefix portal --include=optional --min-release-age=0
	touch $@

# Environments of their own for what exports are made for: the requirements of the Docker package, and TensorFlow where
# there is one for this machine; the tests that need it are left out elsewhere.
.venv/.peers: $(PEERS)/tensorflow.txt $(DOCKER_APP)/requirements.txt | .venv/.dev
	@echo "Installing what the tests run exports with into .venv/peers"
	rm -rf .venv/peers
	$(PYTHON) -m venv .venv/peers/docker
	.venv/peers/docker/bin/python -m pip install --quiet -r $(DOCKER_APP)/requirements.txt
	$(PYTHON) -m venv .venv/peers/tensorflow
	.venv/peers/tensorflow/bin/python -m pip install --quiet -r $(PEERS)/tensorflow.txt || rm -rf .venv/peers/tensorflow
	touch $@
