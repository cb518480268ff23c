PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q
SOURCES := $(shell find codec weights -type f -not -name '*.pyc') cli.py pyproject.toml README.md LICENSE

.PHONY: demo test lint install clean

demo: install  ## encode a sample photograph, decode both resolutions, compare with JPEG
	$(BIN)/python benchmarks/demo.py samples/kodim23.png

test: lint  ## everything that has to hold: lint, types, all tests
	$(BIN)/python -m pytest

lint: install $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy -p aez

install: $(VENV)/.aez

# Neither hatchling's nor setuptools' editable mode can rename codec/ to aez/, so the built wheel is installed.
$(VENV)/.aez: $(SOURCES) | $(BIN)/python
	rm -rf build/wheel
	$(PIP) wheel --no-deps -w build/wheel .
	$(PIP) install build/wheel/*.whl
	$(PIP) install --no-deps --force-reinstall build/wheel/*.whl
	touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/.aez
	$(PIP) install torch==2.13.0
	$(PIP) install "$$(ls build/wheel/*.whl)[train]"
	$(PIP) install --group dev
	touch $@

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --upgrade "pip>=25.1"

clean:
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
