# Two commands do everything on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DEMO := out/demo
FLIPS ?= 2000
EDITS ?= 500
ENCODER ?= sentence-transformers/all-MiniLM-L6-v2

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-all test-matrix check format bench bench-watermark bench-screening bench-audit conformance train-tiny train-guard clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 18

setup: $(READY) ## make .venv and install everything

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --upgrade pip
	$(BIN)/python -m pip install -q -c constraints.txt -e ".[all]" --group dev
	$(BIN)/python -m pip install -q --no-deps -c constraints.txt invisible-watermark
	touch $(READY)

demo: $(READY) ## generate a clip on the embedded model and verify it
	@rm -rf $(DEMO) && mkdir -p $(DEMO)
	$(BIN)/safegen generate "a red ball rolling left to right over green grass" -o $(DEMO)/ball.mp4 --workspace $(DEMO)/workspace
	$(BIN)/safegen verify $(DEMO)/ball.mp4 --workspace $(DEMO)/workspace

test: $(READY) ## run the tests (minutes)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "not slow and not gpu" -n auto --dist worksteal

test-all: $(READY) ## run every test, the slow ones too, and print their coverage
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist worksteal --cov --cov-report=
	@echo "coverage: $$($(BIN)/coverage report --format=total) % of the lines"

test-matrix: $(READY) ## a quick part of the tests on Python 3.11 to 3.13 with lowest and newest dependencies
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.tools.versions

check: $(READY) ## lint, types, dead code, docstrings, architecture
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/vulture
	$(BIN)/interrogate -q safegen cli detectors policies
	$(BIN)/python -m pytest tests/test_architecture.py

format: $(READY) ## format the code
	$(BIN)/ruff check --fix-only -q .
	$(BIN)/ruff format .

bench: bench-watermark bench-screening ## all benchmarks
	$(BIN)/python -m benchmarks.ledger
	$(BIN)/python -m benchmarks.verify
	$(BIN)/python -m benchmarks.embedded --out out/bench/embedded
	$(BIN)/python -m benchmarks.renditions --out out/bench/renditions

bench-watermark: $(READY) ## the watermark against attacks, beside its peers
	$(BIN)/python -m benchmarks.watermark --clips $${SAFEGEN_SHARED:-../shared}/data/clips --out out/bench/watermark

bench-screening: $(READY) ## the prompt screens on labelled sets
	$(BIN)/python -m benchmarks.screening

bench-audit: $(READY) ## the bias audit: its statistics, skin tones, training texts, the embedded model
	$(BIN)/python -m benchmarks.audit --out out/bench/audit

conformance: $(READY) ## c2pa, encypher-c2pa and safegen on every credentialed file, then mutants of our own
	$(BIN)/python -m benchmarks.conformance --json out/bench/conformance.json --page out/bench/conformance.html
	$(BIN)/python -m benchmarks.conformance.mutants --flips $(FLIPS) --edits $(EDITS) --out out/bench/mutants

train-tiny: $(READY) ## train the embedded model from scratch (hours; resumable)
	$(BIN)/python -m training.tiny all --stage two --out out/train-tiny
	$(BIN)/python -m training.tiny all --stage full --out out/train-tiny/full --start out/train-tiny/model

train-guard: $(READY) ## tune the sentence encoder (ENCODER=folder or hub id) and train the prompt classifier with it
	$(BIN)/python -m training.guard encoder --model $(ENCODER)
	$(BIN)/python -m training.guard train --model $(ENCODER)

clean: ## remove what was built (not the virtual environment)
	rm -rf out dist build .pytest_cache .mypy_cache .ruff_cache
