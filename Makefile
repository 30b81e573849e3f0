# `make app` and `make test` set everything up in .venv and run; nothing needs to be installed but Python 3.11 or later.
PYTHON ?= python3
BIN := .venv/bin
# Where to take torch from, e.g. the address of PyTorch's CPU wheels; `default` is what pip takes by itself.
TORCH_INDEX ?=

.PHONY: app test test-nightly test-all lint docs pictures clean

app: .venv/app
	$(BIN)/rgan app

test: .venv/test
	$(BIN)/python -m pytest -n 2

# What `make test` leaves out since it takes long: every screen, system and family where one has shown the way.
# Long journeys in a browser depend on how busy the machine is, so what fails is tried twice more; pytest counts these.
test-nightly: .venv/test
	$(BIN)/python -m pytest -n 2 -m nightly --reruns 2

test-all: test test-nightly

lint: .venv/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

# Into site/, strictly: a broken link, a page outside the list or an unknown name is an error.
docs: .venv/docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

# The documentation's pictures, taken from the running app.
pictures: .venv/test
	$(BIN)/python docs/pictures.py

.venv/app: requirements.txt pyproject.toml $(if $(TORCH_INDEX),FORCE)
	TORCH_INDEX=$(TORCH_INDEX) $(PYTHON) set_up.py
	touch $@

.venv/docs: docs/requirements.txt .venv/app
	$(BIN)/pip install -r docs/requirements.txt
	touch $@

FORCE:

# Playwright fetches its own Chromium where the system has none; without either, the browser tests are skipped.
.venv/test: tests/requirements.txt .venv/app
	$(BIN)/pip install -r tests/requirements.txt
	command -v chromium chromium-browser google-chrome > /dev/null || $(BIN)/playwright install chromium || true
	touch $@

clean:
	rm -rf .venv .pytest_cache .ruff_cache .mypy_cache site
