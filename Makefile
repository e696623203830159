# The whole project from here: `make nightly` runs one night, `make test` the tests.
# Both make the environment first, once.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

SYSTEM_PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTHON := $(BIN)/python

# What `make fast` runs: laws and contracts of the inside; no training, no night, no server, no other process.
FAST := tests/allocation tests/catalogue tests/constraints tests/data tests/evaluation tests/features \
  tests/interactions tests/laws tests/retrieval tests/storage

# One thread for each library: workers are what runs in parallel here, and sums keep their order.
export OPENBLAS_NUM_THREADS ?= 1
export OMP_NUM_THREADS ?= 1
export MKL_NUM_THREADS ?= 1
export MLFLOW_DISABLE_TELEMETRY ?= true
export DVC_NO_ANALYTICS ?= true

# A night is many processes and the tests start hundreds: where the environment forbids to keep bytecode, as
# images do, each would compile every module of every library anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help env nightly tune console fast test test-minimum wheel lint type notebooks notebooks-changed docs test-spark bench bench-million soak lock clean

##@ Run

help: ## what can be made
	@awk 'BEGIN { FS = ":.*## " } /^##@ / { printf "\n%s\n", substr($$0, 5) } /^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

env: $(VENV)/.project ## the environment, from the pinned packages

# Compiling every module would be four fifths of the installing; Python compiles those that are imported.
$(VENV)/.packages: requirements/lock.txt
	$(SYSTEM_PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	$(SYSTEM_PYTHON) -m venv $(VENV)
	@echo 'installing the pinned packages, some minutes'
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps --no-compile --require-hashes -r requirements/lock.txt
	touch $@

$(VENV)/.project: $(VENV)/.packages pyproject.toml
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

nightly: env ## one night, to data/published; PEOPLE=20000 for a larger town, SET="recommend.k=10" for any setting
	$(PYTHON) -m pipelines.night $(if $(PEOPLE),--set people=$(PEOPLE)) $(foreach change,$(SET),--set $(change)) || test $$? -eq 10

tune: env ## better settings for the model; TRIALS=50, SET="model.name=content"
	$(PYTHON) -c 'import optuna' 2>/dev/null || $(PYTHON) -m pip install --quiet --disable-pip-version-check 'optuna>=4.0'
	$(PYTHON) -m pipelines.tune $(if $(TRIALS),--trials $(TRIALS)) $(foreach change,$(SET),--set $(change))

console: env ## the operators' console on two nights of a made-up town; PORT=8000
	$(PYTHON) -m pipelines.console $(if $(PORT),--port $(PORT)) $(if $(PEOPLE),--people $(PEOPLE))

##@ Check

fast: env ## the inside alone, in about a minute and a half: rules, tables, features, search, allocation, metrics; no models
	$(PYTHON) -m pytest $(WORKERS) -m 'not slow and not thorough' --ignore=tests/storage/postgres $(FAST)

# A file is one worker's: what its tests share is made once. Files in their order: nights before docstrings.
WORKERS := -n auto --dist loadfile --no-loadscope-reorder

test: env ## all tests; ARGS="tests/pipeline -k gate" for some
	$(PYTHON) -m pytest $(or $(ARGS),$(WORKERS))

lint: env ## format, style and layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports

type: env ## types, strictly
	$(PYTHON) -m mypy

wheel: env ## sdist and wheel in dist/; the wheel tried in empty environments: with what a night needs, and the core alone
	rm -rf dist build/alone
	$(PYTHON) -m hatchling build -d dist
	$(SYSTEM_PYTHON) -m venv build/alone
	rm -rf build/core build/published && mkdir -p build/published
	build/alone/bin/python -m pip install --quiet --disable-pip-version-check "$$(ls dist/recsys-*.whl)[night]"
	cd build && alone/bin/recsys --help > /dev/null && \
	  alone/bin/python -P ../tests/architecture/alone.py --keep "$$PWD/published"
	$(SYSTEM_PYTHON) -m venv build/core
	build/core/bin/python -m pip install --quiet --disable-pip-version-check dist/recsys-*.whl
	cd build && core/bin/recsys --help > /dev/null && \
	  core/bin/python -P ../tests/architecture/alone.py --serve "$$PWD/published"
	du -sm --apparent-size build/alone/lib/python3*/site-packages build/core/lib/python3*/site-packages

test-minimum: ## the fast tests and those of models with the lowest versions that pyproject.toml allows (Python 3.11)
	$(SYSTEM_PYTHON) -m venv .venv-minimum
	.venv-minimum/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements/minimum.txt
	.venv-minimum/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	.venv-minimum/bin/python -m pytest -n auto --dist loadfile -m 'not slow and not thorough' $(FAST) tests/models

test-spark: ## the tests of the Spark executor, in an environment of their own (needs Java 17)
	$(MAKE) VENV=.venv-spark env
	.venv-spark/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
	  -r requirements/spark.txt
	.venv-spark/bin/python -m pytest tests/pipeline/test_spark_executor.py

##@ Document

docs: env ## the documentation as pages, in build/docs; a broken link is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

notebooks: env ## the notebooks anew from their text, run, with their pictures
	for text in notebooks/*.py; do \
	  $(BIN)/jupytext --quiet --to ipynb $$text && $(BIN)/jupyter-execute --inplace --NotebookClient.record_timing=False $${text%.py}.ipynb || exit 1; done

notebooks-changed: env ## which numbers of the committed notebooks this code no longer gives; ARGS="notebooks/03_features.ipynb"
	$(PYTHON) -m tests.notebooks.changed $(ARGS)

##@ Measure

bench: env ## measurements that need nothing but this folder
	$(PYTHON) -m tests.benchmarks.import_time

bench-million: env ## one search for a million people on all processors; WITH="--viewers 4000" for a sample
	$(PYTHON) -m tests.benchmarks.retrieval --people 1000000 --eligible 0.009 --workers $$(nproc) \
	  --no-peers --memory-mb 8000 $(WITH)

soak: env ## every cell of what restricts; nights killed at random; a backend under load; WITH="--minutes 2" for less than ten
	$(PYTHON) -m pytest $(WORKERS) -m thorough tests
	$(PYTHON) -m tests.benchmarks.night_soak $(WITH)
	$(PYTHON) -m tests.benchmarks.soak $(WITH)

##@ Maintain

lock: ## requirements/ anew from pyproject.toml: newest versions, with hashes, and the lowest that are allowed
	$(SYSTEM_PYTHON) -m venv build/lock
	build/lock/bin/python -m pip install --quiet --disable-pip-version-check uv
	build/lock/bin/uv pip compile pyproject.toml --extra night --extra pipeline --extra mapping --extra serve --extra polars --extra embedding --group dev --universal \
	  --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --upgrade \
	  --quiet -o requirements/lock.txt
	build/lock/bin/uv pip compile pyproject.toml --extra night --extra pipeline --extra mapping --extra serve --extra polars --extra embedding --group test --resolution lowest-direct \
	  --python-version 3.11 --no-emit-index-url --no-header --no-annotate --quiet -o requirements/minimum.txt
	echo 'pyspark>=4.0' > build/lock/spark.in
	build/lock/bin/uv pip compile build/lock/spark.in --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header --no-annotate --upgrade --quiet -o requirements/spark.txt

clean: ## everything a night or a test wrote, but not the environment
	rm -rf data/work data/published data/tracking dvc.lock .dvc/tmp build dist
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
