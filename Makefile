# `make demo` and `make test` work from a fresh clone: each builds .venv first, once.
#
# Torch is installed before the rest, pinned by constraints.txt. Which build of that version arrives (CPU or CUDA) is
# decided by pip's own configuration on the machine; the project needs nothing but the CPU one.

PYTHON ?= python3
WORKERS ?= 2

BIN := .venv/bin
STAMP := .venv/.tutelage-ready

.PHONY: demo test check bench clean help
.DEFAULT_GOAL := help

help:
	@echo "make demo    see all of it once: pictures, then a run from pages to a student"
	@echo "make test    run the tests          (WORKERS=$(WORKERS))"
	@echo "make check   lint, format and types"
	@echo "make bench   measure the ratios of performance, an hour and more (BENCH=--quick: only see that they run)"
	@echo "make clean   remove .venv and every cache (run directories are left alone)"

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: $(STAMP)
	$(BIN)/tutelage demo

# One torch thread per worker: two workers with two threads each would fight over two cores.
test: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(STAMP)
	$(BIN)/python benchmarks/table.py $(BENCH)

clean:
	rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
