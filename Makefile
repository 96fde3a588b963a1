# Everything a newcomer needs is `make demo` and `make check`; both set up what they need on a machine with
# Python 3.11 (or later) and make.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.PHONY: setup demo test check soak lint types arrows format bench serve lock clean

setup: $(READY)

$(READY): pyproject.toml requirements-dev.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "allot needs Python 3.11 or later; name one with: make PYTHON=/path/to/python3.11 …"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@echo "compiling the kernels, once (about a minute)"
	@$(BIN)/python -m solvers & solvers=$$!; $(BIN)/python -m engine.promising.warming && wait $$solvers
	@touch $(READY)

demo: setup          ## the main job on real data, in one command
	$(BIN)/allot demo

test: setup          ## the tests alone, a process per core
	$(BIN)/python -m pytest -n auto --dist loadfile

check: lint types arrows test   ## what CI runs: lint, types, arrows, tests

SHARE ?= 1
TESTS ?= tests/faults tests/dispatch tests/inventory/test_conservation.py tests/webhooks/test_delivery.py tests/backup/test_round_trip.py tests/api/test_imports.py \
  tests/operation/test_flood.py tests/api/test_generated_requests.py
soak: setup          ## the tests of docs/reliability.md at their full figures: hours; SHARE=0.02 runs a fiftieth of them
	ALLOT_SOAK=$(SHARE) $(BIN)/python -m pytest -q $(TESTS)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy
	MYPYPATH=tests $(BIN)/mypy --explicit-package-bases examples/checkout.py tests/client/*.py

arrows: setup
	$(BIN)/lint-imports

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup         ## the figures of benchmarks/RESULTS.md
	$(BIN)/allot bench

serve: setup         ## the API with the demo network loaded
	$(BIN)/allot serve --demo

lock: setup          ## renew requirements-dev.lock from pyproject.toml
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --extra dev --no-header \
	  --no-emit-index-url --no-emit-find-links --output-file requirements-dev.lock pyproject.toml

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
