# One word per job. `make demo` and `make test` need nothing but Debian 12 with Python 3.11.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Only `make tune` needs it.
TORCH := 2.13.0

.PHONY: setup demo test check lock clean servers help bench soak dashboards tune train evaluate calibrate shapes

# Processes share the cores; threads of numeric libraries would only wait for each other.
test evaluate calibrate: export OMP_NUM_THREADS = 1
test evaluate calibrate: export OPENBLAS_NUM_THREADS = 1

help:
	@echo "make demo    set up, start the gateway with sample mail, show what became of each"
	@echo "make test    set up, install the servers that tests need, run every test"
	@echo "make check   ruff, mypy, import-linter"
	@echo "make bench   the gateway beside rspamd and SpamAssassin; writes docs/benchmarks.md"
	@echo "make tune    teaches the encoder of the language model (needs PyTorch); make train comes after"
	@echo "make train   the language model from the corpus; make evaluate writes docs/evaluation.md"
	@echo "make soak    a long run; writes docs/soak.md"
	@echo "make shapes  edits in 5,000 shapes of mail, proved; writes the tables of docs/banner.md"
	@echo "make setup   .venv with .venv/bin/lurewall in it"

$(BIN)/lurewall: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: $(BIN)/lurewall requirements-dev.lock
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.lock
	@touch $@

setup: $(BIN)/lurewall

demo: setup
	$(BIN)/lurewall demo

servers:
	@sh tests/servers/install.sh

test: $(VENV)/.dev servers
	$(BIN)/python -m pytest -n 2 --dist loadfile $(PYTEST_ARGS)

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.dev
	@sh bench/install.sh
	$(BIN)/python -m bench $(BENCH_ARGS)

# What becomes of 5,000 shapes of mail, proved and counted; SHAPES=20000 proves more of them.
shapes: $(VENV)/.dev
	LUREWALL_SHAPES=$(or $(SHAPES),5000) $(BIN)/python -m pytest -n 2 tests/properties/test_edit_shapes.py
	$(BIN)/python -m tests.support.shapes_table

soak: $(VENV)/.dev
	$(BIN)/python -m bench.soak $(SOAK_ARGS)

train: $(VENV)/.dev
	$(BIN)/python -m nlp.training.everyday
	$(BIN)/python -m nlp.training.nouns
	$(BIN)/python -m nlp.training.ordinary_words
	$(BIN)/python -m nlp.training.common_words
	$(BIN)/python -m nlp.training.train

tune: $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --target build/torch torch==$(TORCH)
	PYTHONPATH=build/torch $(BIN)/python -m nlp.training.tune $(TUNE_ARGS)

evaluate: $(VENV)/.dev
	$(BIN)/python -m bench.evaluate

calibrate: $(VENV)/.dev
	$(BIN)/python -m bench.calibrate

dashboards: $(VENV)/.dev
	$(BIN)/python -m bench.dashboards

lock: $(VENV)/.dev
	$(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header \
	  --python-version 3.11 --extra uvloop --group build pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header \
	  --python-version 3.11 --group dev -c requirements.lock -o requirements-dev.lock

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis dist build
