# Each target does its own set-up in .venv; nothing outside the checkout is changed.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
  command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' && echo $$p && break; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
DEMO_ARGS ?=
PYTEST_ARGS ?= -n 2

.PHONY: demo test lint check soak screenshots benchmarks clean

demo: .venv/core
	@$(BIN)/python -m canary demo $(DEMO_ARGS)

test: .venv/dev
	@$(BIN)/python -m pytest $(PYTEST_ARGS)

lint: .venv/dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint test

soak: .venv/dev
	CANARY_KILLS=200 CANARY_POSTS=10000 CANARY_DELIVERY_KILLS=100 $(BIN)/python -m pytest -m soak tests

screenshots: .venv/dev
	$(BIN)/python -m tests.browser.screenshots screenshots

benchmarks: .venv/dev
	@for file in benchmarks/*.py; do echo "== $$file"; $(BIN)/python -m benchmarks.$$(basename $$file .py) || exit 1; done

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed" >&2; exit 1; }
	@$(PYTHON) -m venv .venv

.venv/core: requirements/core.txt pyproject.toml | .venv/bin/python
	@echo "setting up .venv (once)" >&2
	@$(PIP) install --require-hashes -r requirements/core.txt >&2
	@$(PIP) install --no-deps --no-build-isolation --editable . >&2
	@touch $@

.venv/dev: requirements/dev.txt .venv/core
	@echo "adding what the tests need (once)" >&2
	@$(PIP) install --require-hashes -r requirements/dev.txt >&2
	@touch $@
