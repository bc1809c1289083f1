# Every target works from a fresh clone. `make` alone lists them.
SHELL := /bin/bash
PY := .venv/bin/python
.DEFAULT_GOAL := help

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' Makefile | sed -E 's/:[^#]*## /\t/' | expand -t 10

setup: .venv/.ready ## make .venv with the locked dependencies and the seatledger command

.venv/.ready: requirements-dev.txt pyproject.toml deploy/bootstrap.sh
	@bash deploy/bootstrap.sh

run: setup ## start PostgreSQL, RabbitMQ and both services; Ctrl-C stops them
	@exec $(PY) -m deploy.local

check: setup ## format, lint, types, import rules, file sizes
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	.venv/bin/lint-imports
	$(PY) -m pytest -q tests/unit/test_house_rules.py

test: setup ## every test, against private PostgreSQL and RabbitMQ servers
	$(PY) -m pytest

lock: setup ## resolve pyproject.toml into the hashed requirements files
	$(PY) -m uv lock --quiet
	$(PY) -m uv export --quiet --locked --no-emit-project --no-header --format requirements.txt \
		--no-dev --extra local --output-file requirements.txt
	$(PY) -m uv export --quiet --locked --no-emit-project --no-header --format requirements.txt \
		--all-extras --output-file requirements-dev.txt

clean: ## remove .venv, caches and build files; .data with the ledger stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist *.egg-info
	find . -name __pycache__ -type d -not -path './.data/*' -prune -exec rm -rf {} +

.PHONY: help setup run check test lock clean
