PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ROUNDS ?= 6
TORCH ?= torch==2.13.0
# In rounds, because atheris keeps some 16 kB of every mutation.
FUZZ := $(BIN)/python fuzz/decode.py build/fuzz -max_total_time=300 -timeout=10 -malloc_limit_mb=1000 -rss_limit_mb=4000 \
	-artifact_prefix=fuzz/findings/
PIP := $(BIN)/python -m pip --disable-pip-version-check -q

.PHONY: demo test lint docs web web-test examples fuzz aarch64 install clean

demo: install  ## encode a sample photograph, decode both resolutions, compare with JPEG and AVIF
	$(PIP) install -e ".[compare]"
	$(BIN)/python benchmarks/demo.py samples/kodim23.png

test: lint  ## everything that has to hold: lint, types, all tests, on two cores
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy -p aez
	$(BIN)/mypy benchmarks/*.py fuzz/*.py docs/*.py
	$(BIN)/mypy examples/autoencoders/*.py

docs: $(VENV)/.dev  ## command line, Python interface and man pages, from the code
	$(BIN)/python docs/make.py

web: web/node_modules/.installed  ## what browsers run, from the sources in web/
	cd web && node build.mjs

web-test: web/node_modules/.installed $(VENV)/.dev  ## that it is what was built, lint, types, and all tests, in Node, Chromium and Firefox
	cd web && node build.mjs build/static && diff -rq build/static ../codec/web/static
	$(BIN)/python tests/browser_inputs.py web/build
	cd web && npm test

examples: $(VENV)/.dev  ## all experiments of examples/autoencoders and docs/autoencoders.md: PICTURES=DIR TEST=DIR, of photographs
	@test -n "$(PICTURES)" -a -n "$(TEST)" || { echo "make examples PICTURES=DIR TEST=DIR: photographs to train and to test with"; exit 1; }
	$(BIN)/python examples/autoencoders/digits.py --out docs/autoencoders
	for name in kinds translation upscaling family anomalies video; do \
		$(BIN)/python examples/autoencoders/$$name.py --pictures $(PICTURES) --test $(TEST) --out docs/autoencoders || exit 1; done
	$(BIN)/python examples/autoencoders/page.py

fuzz: $(VENV)/.dev web/node_modules/.installed  ## broken files for the decoder, ROUNDS times five minutes (findings in fuzz/findings), and for both
	$(PIP) install "atheris>=3.0"
	mkdir -p build/fuzz fuzz/findings
	cp -n tests/golden/*.aez build/fuzz
	for round in $$(seq $(ROUNDS)); do $(FUZZ) || exit 1; done
	$(BIN)/python -m pytest tests/test_two_decoders.py --mutations 100000
	$(BIN)/python -m pytest tests/test_lossless.py -k every_sample --hypothesis-profile thorough
	$(BIN)/python tests/browser_inputs.py web/build 10000
	cd web && npx vitest run test/mutated.test.ts

aarch64: install  ## decode the golden files on an emulated ARM machine (root, Debian)
	PYTHON=$(abspath $(BIN))/python tests/aarch64.sh

install: $(VENV)/.aez  ## an environment in which edits are seen at once

$(VENV)/.aez: pyproject.toml | $(BIN)/python
	$(PIP) install -e .
	touch $@

# PyTorch for the CPU first, then everything in one call, so that pip sees all requirements at once.
$(VENV)/.dev: pyproject.toml | $(BIN)/python
	$(PIP) install $(TORCH)
	$(PIP) install -e ".[train,compare,cloud,cluster,serve]" --group dev
	touch $(VENV)/.aez $@

web/node_modules/.installed: web/package-lock.json
	cd web && npm ci --no-audit --no-fund
	touch $@

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --upgrade "pip>=25.1"

clean:
	rm -rf $(VENV) web/node_modules web/build build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
