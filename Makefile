# Linewatch: `make demo` shows a line being inspected, `make test` proves it, `make` lists the rest.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

# The camera side alone, and a PNG of one pixel for it to hand over.
CAMERA  := .venv-camera
PICTURE := iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==

# Named for what is installed: nothing is installed again until a dependency changes.
WANTED := $(shell { sed '/^\[tool\./,$$d' pyproject.toml; cat constraints.txt; } | cksum | tr ' ' -)
STAMP  := $(VENV)/.setup-$(WANTED)
QUIET  := --quiet --disable-pip-version-check
PIP    := $(BIN)/python -m pip install $(QUIET)

# Tests run in so many processes, a file in one of them; those that take longest come first. Tests of
# faults wait more than they compute: hence more processes than two cores seem to ask for.
JOBS   ?= 4
PYTEST := $(BIN)/python -m pytest -m "not slow" --dist loadfile --no-loadscope-reorder

NEXT         := broker-next
BROKER_TESTS := tests/unit/workers/broker tests/integration/workers/broker tests/integration/workers/test_beat.py \
                tests/acceptance/faults/test_redis_dies.py \
                tests/acceptance/faults/test_workers_die.py::test_no_message_is_lost_on_its_way_into_a_worker

# On a machine with a GPU: its own Python, which has PyTorch. Where Linewatch is set up, that one.
GPU_PYTHON ?= $(if $(wildcard $(STAMP)),$(BIN)/python,python3)
MANYLINUX  := 2_39 2_34 2_31 2_28 2_27 2_24 2_17 2_12 2_5
WHEELS     := gpu-wheels

.PHONY: help setup demo camera test unit integration test-slow lint format faults broker-next bench mutants gpu-wheels gpu gpu-train clean

help:  ## this list; ARGS="..." hands words on to the program
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

setup: $(STAMP)  ## installs Linewatch and all that its tests need into .venv (about 8 GB)

$(STAMP):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Linewatch needs Python 3.11 or newer; set PYTHON=/path/to/python3"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing Linewatch and its packages into $(VENV) (about 8 GB; minutes the first time, and pip says how far it is) ..."
	@$(PIP) --upgrade 'pip>=24'
	$(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt -e '.[all]'
	@rm -f $(VENV)/.setup-*; touch $@

demo: setup  ## inspects a simulated shift, and shows how each picture ended
	$(BIN)/linewatch demo $(ARGS)

camera:  ## installs the camera side alone into .venv-camera, and spools a picture with it
	@test -x $(CAMERA)/bin/python || $(PYTHON) -m venv $(CAMERA)
	@rm -rf $(CAMERA)/try; mkdir $(CAMERA)/try
	@$(CAMERA)/bin/pip wheel $(QUIET) --no-deps -w $(CAMERA)/try deploy/camera
	@$(CAMERA)/bin/pip install $(QUIET) -c constraints.txt $(CAMERA)/try/*.whl
	@$(CAMERA)/bin/pip install $(QUIET) --no-deps --force-reinstall $(CAMERA)/try/*.whl
	@echo $(PICTURE) | base64 -d > $(CAMERA)/try/part.png
	@cd $(CAMERA)/try && LINEWATCH_DATA_DIR=. LINEWATCH_REDIS_URL=redis://127.0.0.1:1/0 ../bin/linewatch submit part.png \
	  --line line-1 --camera cam-1 --product cable --no-wait --timeout 0
	@echo "It is kept in a spool until a queue takes it. To hand pictures over to yours (docs/camera.md):"
	@echo "  LINEWATCH_REDIS_URL=redis://HOST:6379/0 $(CAMERA)/bin/linewatch submit PICTURE --line LINE --camera CAMERA --product PRODUCT"

test: setup  ## all tests but the slow ones, in JOBS=4 processes
	$(PYTEST) -n $(JOBS) $(ARGS)

unit: setup  ## the tests that need neither server nor worker, in as many processes as there are cores
	$(PYTEST) -n logical --maxprocesses 8 tests/unit $(ARGS)

integration: setup  ## the tests on real databases and Redis, without worker processes
	$(PYTEST) -n $(JOBS) tests/integration tests/migration $(ARGS)

test-slow: setup  ## the slow tests, one after the other
	$(BIN)/python -m pytest -m slow $(ARGS)

lint: setup  ## ruff, mypy, the layers, known vulnerabilities
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --platform win32 producer linewatch/commands/watch.py linewatch/commands/submit.py linewatch/commands/spool.py
	$(BIN)/lint-imports
	@$(BIN)/python .ci/audit

format: setup  ## formats the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Hours. PART=workers-killed runs one part (tests/acceptance/faults/parts.py); what passed at this
# very commit is not run again, so a run that was cut short goes on where it stopped.
faults: setup  ## breaks everything on purpose, for hours; PART=NAME runs one part
	LINEWATCH_FAULTS_LONG=1 LINEWATCH_FAULTS_PART=$(PART) $(BIN)/python -m pytest -v -m "slow or not slow" tests/acceptance/faults $(ARGS); \
	ended=$$?; $(BIN)/python -m benchmarks.faults_table --update; exit $$ended

# The newest Celery and kombu, in a folder of their own, under the broker's tests: see docs/celery.md.
broker-next: setup  ## the broker's tests under the newest Celery and kombu
	rm -rf $(NEXT)
	$(BIN)/python -m venv $(NEXT)
	$(NEXT)/bin/python -m pip install $(QUIET) celery 'kombu[redis]' celery-redbeat
	@site=$$($(NEXT)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))'); \
	  $(BIN)/python -c 'import os, sys; print(os.getcwd(), *(p for p in sys.path if p.endswith("site-packages")), sep="\n")' > $$site/installed.pth
	@$(NEXT)/bin/python -c 'import celery, kombu, redis; print("celery", celery.__version__, "kombu", kombu.__version__, "redis", redis.__version__)'
	$(NEXT)/bin/python -m pytest -m "not slow" $(BROKER_TESTS) $(ARGS)

bench: setup  ## all benchmarks, then docs/benchmarks.md
	@$(BIN)/python -c 'import litserve, ray, httpx' 2>/dev/null || $(PIP) -c constraints.txt -e '.[all,bench]'
	$(BIN)/linewatch bench all $(ARGS)

mutants: setup  ## how many small faults in the pure core the unit tests see
	@$(BIN)/python -c 'import mutmut' 2>/dev/null || $(PIP) -c constraints.txt -e '.[all,mutants]'
	$(BIN)/python -m benchmarks.mutants

# Where there is a network: what `make gpu` needs beside benchmarks/gpu/present.txt, for Python 3.12.
gpu-wheels:  ## fetches what `make gpu` needs on a machine without a network
	rm -rf $(WHEELS)
	$(PYTHON) -m pip download $(QUIET) --no-deps --only-binary=:all: \
	  --python-version 3.12 --implementation cp $(foreach v,$(MANYLINUX),--platform manylinux_$(v)_x86_64) \
	  --platform manylinux2014_x86_64 --platform manylinux1_x86_64 \
	  -c constraints.txt -r benchmarks/gpu/wheels.txt -d $(WHEELS)
	@du -sm $(WHEELS) | { read size _; echo "$(WHEELS): $$size MB"; test $$size -le 40; }

# Without a network: tests of the CUDA backend, then its figures. ARGS=--smoke tries it without a GPU.
gpu:  ## tests and figures of the CUDA backend, on a machine with a GPU
	$(GPU_PYTHON) -m benchmarks.gpu $(ARGS)

# Without a network too. Started again it goes on where it was; ARGS=--smoke tries it without a GPU.
gpu-train:  ## trains the compact encoders anew on one GPU, in 10 minutes
	$(GPU_PYTHON) -m tools.train_compact.gpu $(ARGS)

clean:  ## removes what was built and installed
	rm -rf $(WHEELS) $(NEXT) gpu-site gpu-smoke.json gpu-train $(VENV) $(CAMERA) mutants build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
