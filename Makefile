# Everything a newcomer needs is `make demo` and `make check`; both set up what they need on a machine with
# Python 3.11 (or later) and make.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

INSTALLED := $(VENV)/.installed

.PHONY: setup demo test check soak lint types arrows format bench serve lock clean

setup: $(READY)

$(INSTALLED): pyproject.toml requirements-dev.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "allot needs Python 3.11 or later; name one with: make PYTHON=/path/to/python3.11 …"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(INSTALLED)

# By two processes that take about as long: the kernels of `auto` are half of all.
$(READY): $(INSTALLED)
	@echo "compiling the kernels, once (about a minute)"
	@$(BIN)/python -m solvers auto & auto=$$!; $(BIN)/python -m engine.promising.warming \
	  && $(BIN)/python -m solvers one_by_one exact nearest ranked fewest_splits cascade weighted && wait $$auto
	@touch $(READY)

demo: setup          ## the main job on real data, in one command
	$(BIN)/allot demo

# A process more than there are cores, since many tests wait for a server; in the order of the folders, since the files
# with few tests, which would come last otherwise, are those that take long.
WORKERS ?= $(shell expr 1 + $$(getconf _NPROCESSORS_ONLN))

# Tests and commands start hundreds of processes, each of which would compile a thousand modules anew (a second).
unexport PYTHONDONTWRITEBYTECODE

test: setup          ## the tests alone
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

check:               ## what CI runs: lint, types, arrows, tests; types are checked while the kernels are compiled
	@$(MAKE) --no-print-directory --jobs 2 setup lint types arrows
	@$(MAKE) --no-print-directory test

SHARE ?= 1
TESTS ?= tests/faults tests/dispatch tests/inventory/test_conservation.py tests/webhooks/test_delivery.py tests/backup/test_round_trip.py tests/api/test_imports.py \
  tests/operation/test_flood.py tests/api/test_generated_requests.py tests/life
soak: setup          ## the tests of docs/reliability.md at their full figures: hours; SHARE=0.02 runs a fiftieth of them
	ALLOT_SOAK=$(SHARE) $(BIN)/python -m pytest -q $(TESTS)

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(INSTALLED)
	$(BIN)/mypy
	MYPYPATH=tests $(BIN)/mypy --explicit-package-bases examples/checkout.py tests/client/*.py

arrows: $(INSTALLED)
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
