# Every target sets up what it needs: Python 3.13, make and a network are all that must be there.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON := .venv/bin/python
# pytest's arguments: make test ARGS='tests/domain -k capture'
ARGS ?=
WORKERS ?= 2
PORT ?= 3000

# Nothing here may reach an AWS account by way of what is set in the caller's shell.
export AWS_DEFAULT_REGION := us-east-1
export AWS_EC2_METADATA_DISABLED := true
export SAM_CLI_TELEMETRY := 0
export UV_PYTHON_DOWNLOADS := never
export PORT

# Where imports of the layer and of the functions are found by what runs from the working tree.
openapi descriptions: export PYTHONPATH := layers/core:functions

CHECKED := layers/core/holdfast functions local benchmarks tests tools

.PHONY: help
help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

.PHONY: environment sam-environment
environment:
	@tools/set-up .venv requirements/development.txt

sam-environment:
	@tools/set-up .sam-venv requirements/sam.txt

.PHONY: run
run: environment ## Deploy template.yaml to an embedded AWS on 127.0.0.1:$PORT (3000); Ctrl-C stops
	@exec $(PYTHON) -m local.run

.PHONY: demo
demo: environment ## Tell the story over HTTP against a running stack, step by step
	@exec $(PYTHON) -m local.demo

.PHONY: test
test: environment ## All tests but the long ones: make test ARGS='tests/domain -k capture'
	@$(PYTHON) -m pytest -m 'not soak' -n $(WORKERS) --dist loadfile $(ARGS)

.PHONY: soak
soak: environment ## The long runs: a million operations with faults and duplicates
	@HYPOTHESIS_PROFILE=soak $(PYTHON) -m pytest -m soak -s $(ARGS)

.PHONY: bench
bench: environment ## Each benchmark prints its figure, its ratio and its command
	@$(PYTHON) -m benchmarks

.PHONY: check
check: lint types architecture descriptions template ## Format, lint, types, architecture, template

.PHONY: lint
lint: environment
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m ruff check .

.PHONY: types
types: environment
	@$(PYTHON) -m mypy $(CHECKED)

.PHONY: architecture
architecture: environment
	@$(PYTHON) -m pytest -q tests/architecture tests/contract

.PHONY: openapi
openapi: environment ## Write the descriptions of the API from its routes: docs/openapi
	@$(PYTHON) -m tests.openapi.recording
	@$(PYTHON) -m tools.api_description

.PHONY: descriptions
descriptions: environment
	@$(PYTHON) -m tools.api_description --check

# The linter accepts things in a SAM template that it refuses in what the template becomes, and
# the other way round: both are linted.
.PHONY: template
template: environment sam-environment build/template.json
	@.sam-venv/bin/sam validate --lint
	@.venv/bin/cfn-lint template.yaml
	@.venv/bin/cfn-lint build/template.json

build/template.json: template.yaml tools/translate_template.py | environment
	@mkdir -p build
	@$(PYTHON) -m tools.translate_template template.yaml > $@.part
	@mv $@.part $@

.PHONY: build
build: environment sam-environment ## sam build, as it would be deployed
	@PATH="$(CURDIR)/.sam-venv/bin:$$PATH" sam build

.PHONY: quickstart
quickstart: environment ## Run the README's quick start, command by command
	@$(PYTHON) -m tools.quickstart

.PHONY: verify
verify: environment ## Check an export of entries offline: make verify FILE=entries.jsonl
	@PYTHONPATH=layers/core $(PYTHON) -m holdfast.verify "$(FILE)"

.PHONY: reconcile
reconcile: environment ## Hold Stripe against the running stack's ledger: make reconcile ARGS='--day …'
	@$(PYTHON) -m local.reconcile $(ARGS)

.PHONY: format
format: environment ## Format the code and mend what the linter can mend
	@$(PYTHON) -m ruff format .
	@$(PYTHON) -m ruff check --fix .

.PHONY: lock
lock: sam-environment ## Pin the requirements again: make lock ARGS=--upgrade for newer ones
	@tools/lock $(ARGS)

.PHONY: clean
clean: ## Remove caches and builds; environments and the state in .local stay
	@rm -rf .aws-sam .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache build
	@find . \( -name .venv -o -name .sam-venv -o -name .local -o -name .git \) -prune \
	  -o -type d -name __pycache__ -exec rm -rf {} +
