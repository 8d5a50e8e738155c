# gridhub: `make demo` and `make test` do all their own set-up; everything they make stays in .venv and .make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SECONDS ?= 60
PIP := $(BIN)/python -m pip --disable-pip-version-check -q
WEB := $(shell find hub/web -type f -not -path '*/node_modules/*' -not -path '*/dist/*' -not -path '*/tests/*' 2>/dev/null)
PAGE_TOOLS := hub/web/node_modules/.with-tools
export PYTHONUNBUFFERED := 1
# Compiled modules are kept, whatever the machine says: each process would compile our 67,000 lines anew, in half a second.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: install demo test check check-types check-lines check-page bench bench-ingest bench-sensors bench-cases bench-ui walks soak soak-sensors fuzz sensors-doc schema peers clean
.DEFAULT_GOAL := install

install: $(VENV)/.installed
demo: install
	@$(BIN)/gridhub demo $(ARGS)

# Types are checked while the page is, and while apt waits for its mirror.
test: $(VENV)/.tests
	@$(MAKE) --no-print-directory -j 2 --output-sync=target check peers
	$(BIN)/pytest $(ARGS)

check: check-types check-lines check-page

check-types: $(VENV)/.tests
	$(BIN)/mypy

check-lines: $(VENV)/.tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

check-page: $(PAGE_TOOLS)
	$(BIN)/python -m tests.page check
	$(BIN)/python -m tests.page test

bench: $(VENV)/.tests peers
	$(BIN)/python -m tests.bench.looks $(ARGS)
	$(BIN)/python -m tests.bench.infer
	$(BIN)/python -m tests.bench.gate
	$(BIN)/python -m tests.bench.sensors --seconds 30

bench-ingest: $(VENV)/.tests peers
	$(BIN)/python -m tests.bench.ingest $(ARGS)

bench-sensors: $(VENV)/.tests peers
	$(BIN)/python -m tests.bench.sensors $(ARGS)

bench-cases: $(VENV)/.tests peers
	$(BIN)/python -m tests.bench.cases $(ARGS)

bench-ui: $(VENV)/.tests peers
	$(BIN)/python -m tests.bench.ui $(ARGS)
	$(BIN)/python -m tests.bench.live

walks: $(VENV)/.tests peers
	GRIDHUB_WALKS=$${WALKS:-2000} $(BIN)/pytest -n 0 -s --timeout 0 tests/integration/hub/test_case_machine.py $(ARGS)

soak: $(VENV)/.tests peers
	$(BIN)/python -m tests.bench.soak $(ARGS)

soak-sensors: $(VENV)/.tests peers
	$(BIN)/python -m tests.bench.sensors.soak $(ARGS)

fuzz: $(VENV)/.fuzz
	$(BIN)/python -m tests.fuzz.run --seconds $(SECONDS) $(ARGS)

schema: $(VENV)/.tests $(PAGE_TOOLS)
	$(BIN)/python -m tests.page schema

sensors-doc: $(VENV)/.tests
	$(BIN)/python -m tests.samples.readings

peers:
	@sh tests/peers/install.sh

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache hub/web/node_modules hub/web/dist

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "gridhub needs Python 3.11 or newer; found $$($(PYTHON) -V). Say which: make PYTHON=python3.12 demo"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml constraints.txt hatch_build.py $(WEB)
	$(PIP) install -c constraints.txt -e .
	@touch $@

$(VENV)/.tests: $(VENV)/bin/python pyproject.toml constraints.txt hatch_build.py $(WEB)
	$(PIP) install -c constraints.txt -e '.[test]'
	@touch $(VENV)/.installed $@

# The page's own tools: building the page takes them away again.
$(PAGE_TOOLS): $(VENV)/.tests hub/web/package-lock.json
	$(BIN)/python -m tests.page install
	@touch $@

$(VENV)/.fuzz: $(VENV)/.tests
	$(PIP) install -c constraints.txt -e '.[fuzz]'
	@touch $@
