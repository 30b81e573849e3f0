# `make app` and `make test` set everything up in .venv and run; nothing needs to be installed but Python 3.11 or later.
PYTHON ?= python3
BIN := .venv/bin
# Where to take torch from instead of the default build, e.g. the address of PyTorch's CPU wheels.
TORCH_INDEX ?=

.PHONY: app test test-all lint clean

app: .venv/app
	$(BIN)/streamlit run app/Home.py

test: .venv/test
	$(BIN)/python -m pytest -n 2

# Also what only repeats: more kills, more damaged files.
test-all: .venv/test
	$(BIN)/python -m pytest -n 2 -m "nightly or not nightly"

lint: .venv/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/app: requirements.txt pyproject.toml .venv/bin/python
	$(if $(TORCH_INDEX),$(BIN)/pip install --index-url $(TORCH_INDEX) torch==2.15.0 torchvision==0.29.2)
	$(BIN)/pip install -r requirements.txt
	touch $@

# Playwright fetches its own Chromium where the system has none; without either, the browser tests are skipped.
.venv/test: tests/requirements.txt .venv/app
	$(BIN)/pip install -r tests/requirements.txt
	command -v chromium chromium-browser google-chrome > /dev/null || $(BIN)/playwright install chromium || true
	touch $@

clean:
	rm -rf .venv .pytest_cache .ruff_cache .mypy_cache
