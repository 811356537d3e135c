# The commands of this project. `make` alone lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.made-from-lock
ARGS ?=

.PHONY: help env lock demo test check bench proof-delivery proof-tasks proof-lockout proto clean

help: ## list the commands
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

env: $(STAMP) ## create .venv from requirements/dev.lock

$(STAMP): requirements/dev.lock pyproject.toml
	@tests/setup python "$(PYTHON)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

lock: ## resolve the dependencies again (needs uv) and write requirements/*.lock
	requirements/lock

demo: env ## run hub, simulated office and agent on loopback; ARGS="--seconds 30" ends by itself
	@$(BIN)/dca demo $(ARGS)

test: env ## set up and run every test
	@tests/setup peers
	$(BIN)/python -m pytest $(ARGS)

check: env ## ruff, mypy --strict, import floors, generated code in step
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python proto/generate.py --check

bench: env ## measure against the named peers; ends with one JSON object of ratios (ARGS=--quick)
	@tests/setup bench
	@$(BIN)/python -m tests.bench $(ARGS)

proof-delivery: env ## kill, cut, fill and misdate the real processes and count every reading (ARGS=--quick)
	@tests/setup peers
	@$(BIN)/python -m tests.proof_delivery $(ARGS)

proof-tasks: env ## time tasks, then kill and cut under a thousand of them and count each end (ARGS=--quick)
	@tests/setup peers
	@$(BIN)/python -m tests.proof_tasks $(ARGS)

proof-lockout: env ## guess a million activation codes with fifty processes and count what the hub sees (ARGS=--quick)
	@tests/setup peers
	@$(BIN)/python -m tests.proof_lockout $(ARGS)

proto: env ## generate dca/wire from proto/
	$(BIN)/python proto/generate.py

clean: ## remove what the other commands made
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
