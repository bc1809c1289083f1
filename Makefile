# Every target works from a fresh clone. `make` alone lists them.
SHELL := /bin/bash
PY := .venv/bin/python
.DEFAULT_GOAL := help

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/:[^#]*## /\t/' | expand -t 10

setup: .venv/.ready ## make .venv with the locked dependencies and the seatledger command

.venv/.ready: requirements-dev.txt pyproject.toml deploy/bootstrap.sh
	@bash deploy/bootstrap.sh

run: setup ## start PostgreSQL, RabbitMQ and both services; Ctrl-C stops them
	@exec $(PY) -m deploy.local

check: setup lint-deploy ## format, lint, types, import rules, file sizes, deploy files
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	.venv/bin/lint-imports
	$(PY) -m pytest -q tests/unit/test_house_rules.py

lint-deploy: setup ## check the files under deploy/: YAML, Dockerfile, compose
	.venv/bin/yamllint --strict -c deploy/yamllint.yml deploy
	.venv/bin/hadolint --failure-threshold style deploy/Dockerfile
	.venv/bin/check-jsonschema --quiet --builtin-schema vendor.compose-spec deploy/compose.yaml

# What takes longest begins first, and units fill what is left of either core.
TESTS := tests/faults/services/test_command_service_killed.py tests/faults/database/test_log_order.py \
	tests/integration tests/journeys tests/contract tests/property tests/unit

WORKERS ?= 2
PYTEST := $(PY) -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m "not slow"
test: setup ## all but the slow tests, on both cores, against private PostgreSQL and RabbitMQ servers
	$(PYTEST) $(TESTS)

test-fast: setup ## units, contracts and properties: half a minute
	$(PYTEST) tests/property tests/contract tests/unit

test-slow: setup ## the tests marked slow, one after the other: some measure
	$(PY) -m pytest -m slow $(TESTS)

SEEDS ?= 1
faults: setup ## break everything under load and judge what is left; SEEDS=20: long, SHORT=1: short
	@$(PY) -m tests.faults --seeds $(SEEDS) $(if $(SHORT),--short)

SECONDS_OF_SOAK ?= 1800
soak: setup ## half an hour of load; memory must stay below its bound (SECONDS_OF_SOAK=60: short)
	@$(PY) -m tests.integration.operations.soak --seconds $(SECONDS_OF_SOAK)

ROUNDS ?= 100000
never-stale: setup ## book and look while projectors are killed and frozen: no answer may be stale
	@$(PY) -m tests.integration.query.freshness.rounds --rounds $(ROUNDS)

mutants: setup ## small wrongs in decide, evolve, mailbox and appender: each must fail a test
	@$(PY) -m tests.property.mutants

bench: setup ## bookings per second beside the HTTP floor and two peers; the plot in deploy/bench
	@$(PY) -m tests.bench.write_path --json deploy/bench/write_path.json; status=$$?; \
		$(PY) -m tests.bench.plot deploy/bench/write_path.json deploy/bench/write_path.svg \
		&& exit $$status

test-browser: setup ## the published booking widget, and pages from elsewhere, in headless Chromium
	$(PY) -m pytest tests/browser/widget_books.py tests/browser/page_from_elsewhere.py

audit-dependencies: setup ## ask the public advisory database about every locked package
	$(PY) -m uv tool run pip-audit --strict --disable-pip --require-hashes -r deploy/requirements-image.txt

lock: setup ## resolve pyproject.toml into the hashed requirements files
	$(PY) -m uv lock --quiet
	$(PY) -m uv export --quiet --locked --no-emit-project --no-header --format requirements.txt \
		--no-dev --extra local --output-file requirements.txt
	$(PY) -m uv export --quiet --locked --no-emit-project --no-header --format requirements.txt \
		--all-extras --output-file requirements-dev.txt
	$(PY) -m uv export --quiet --locked --no-emit-project --no-header --format requirements.txt \
		--no-dev --group image --output-file deploy/requirements-image.txt

clean: ## remove .venv, caches and build files; .data with the ledger stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist *.egg-info
	find . -name __pycache__ -type d -not -path './.data/*' -prune -exec rm -rf {} +

.PHONY: help setup run check lint-deploy test test-fast test-slow faults soak never-stale mutants bench test-browser audit-dependencies lock clean
