# Each target does its own set-up; it needs make, a package index and Python 3.11 or 3.12, of which
# the quickstart takes 3.13 and 3.14, too.
.POSIX:

BIN = .venv/bin
PACKAGES = edge converters demos boards
# Tests start hundreds of processes: without compiled modules each would compile what it imports.
PYTEST = PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest

help:
	@echo 'make quickstart  convert handwritten digits and classify unseen ones (a minute)'
	@echo 'make setup       the environment of all other targets, with TensorFlow (4 GB)'
	@echo 'make test        lint, the tests, the examples, and the tests of edge/ with the base wheel alone'
	@echo 'make test-real   the tests on real images and models (EDGE_TEST_DATA=folder)'
	@echo 'make test-network  the light installs have wheels for every Python and platform'
	@echo 'make test-board  install, run, deploy on emulated arm64 boards and a real systemd (root, Debian)'
	@echo 'make bench       edge convert against the tutorial; the built-in weights against others'
	@echo 'make fuzz        5,000 mutated model files and 3,000 data sets of boxes and masks'
	@echo 'make soak        100,000 frames, then 30 minutes of web clients: memory, threads, files'
	@echo 'make lint        ruff, codespell, mypy and import-linter'
	@echo 'make snapshot    regenerate tests/error_messages.txt and edge/__init__.pyi'
	@echo 'make pictures    the pictures of README: quickstart, then Chromium takes them'
	@echo 'make dist        wheel and source archive in dist/'
	@echo 'make lock        resolve the lock files again'
	@echo 'make clean       remove generated files, including environments'

setup:
	@PYTHON='$(PYTHON)' sh .ci/setup all

quickstart:
	@PYTHON='$(PYTHON)' sh .ci/setup convert
	@$(BIN)/python -m converters.quickstart

lint: setup
	@sh .ci/lint

# Both environments have the versions of the lock file: what passed in the base one is not run again.
# The linters go on beside the base tests, and there is a worker more than processors: many tests wait.
test: setup
	@linted=$$(mktemp); base=0; lint=0; sh .ci/lint >$$linted 2>&1 & linting=$$!; \
	sh .ci/test-base $(PYTEST_FLAGS) || base=$$?; \
	wait $$linting || lint=$$?; cat $$linted; rm -f $$linted; [ $$lint = 0 ] || exit $$lint; \
	$(PYTEST) -n 3 --dist loadfile --no-loadscope-reorder --doctest-modules tests $(PACKAGES) \
	    -m 'not realdata and not network and not board' --leave-out build/passed \
	    $(PYTEST_FLAGS) && exit $$base

test-base: setup
	@sh .ci/test-base $(PYTEST_FLAGS)

test-network: setup
	$(PYTEST) -m network $(PYTEST_FLAGS)

test-real: setup
	@sh .ci/data >/dev/null
	EDGE_TEST_DATA=$$(sh .ci/data) $(PYTEST) -n 2 --dist loadfile -m "realdata and not board" $(PYTEST_FLAGS)

# In separate namespaces, so that its processes and mounts end with it, however it ends;
# the shell is there to reap the processes of the services.
test-board: setup
	@sh .ci/data >/dev/null
	@[ $$(id -u) = 0 ] || { echo 'expected root, for chroot and mounts: sudo make test-board' >&2; exit 2; }
	EDGE_TEST_DATA=$$(sh .ci/data) unshare --mount --pid --mount-proc --fork --kill-child \
	    sh -c '$(PYTEST) -m board tests/emulated $(PYTEST_FLAGS); exit $$?'

bench: setup
	@sh .ci/data >/dev/null
	@data=$$(sh .ci/data) && $(BIN)/python tests/benchmarks/transfer.py \
	    "$$data/datasets/grocery6" "$$data/models/keras/mobilenet_v2_1.0_224_no_top.weights.h5" && \
	    $(BIN)/python tests/benchmarks/probe.py --data "$$data" && \
	    for model in mobilenet_v2_1.0_224_quant coco_ssd_mobilenet_v1_1.0_quant; do \
	        $(BIN)/python tests/benchmarks/stream.py "$$data/models/$$model.tflite" \
	            "$$data/video/one-by-one-person-detection.mp4" || exit 1; \
	    done && \
	    $(BIN)/python tests/benchmarks/tracker.py --data "$$data" && \
	    $(BIN)/python tests/benchmarks/waits.py --data "$$data" && \
	    $(BIN)/python tests/benchmarks/compression.py "$$data/datasets/grocery6" \
	        "$$data/models/keras/mobilenet_v2_1.0_224_no_top.weights.h5" \
	        --seeds 0 --recipes channels-50
	@$(BIN)/python tests/benchmarks/mirror.py
	@$(BIN)/python tests/benchmarks/board_size.py

soak: setup
	@$(BIN)/python tests/benchmarks/soak.py
	@$(BIN)/python tests/benchmarks/web_soak.py

fuzz: setup
	@$(BIN)/python tests/benchmarks/fuzz_models.py $(FUZZ_FLAGS)
	@$(BIN)/python tests/benchmarks/fuzz_labels.py

snapshot: setup
	@$(BIN)/python tests/support/error_messages.py
	@$(BIN)/python tests/support/api_stub.py

pictures: setup quickstart
	@$(BIN)/python tests/support/pictures.py

dist: setup
	@rm -rf build dist
	@$(BIN)/python -m build --no-isolation --outdir dist .

lock: setup
	@sh .ci/lock

clean:
	rm -rf .venv .venv-base build dist runs .pytest_cache .mypy_cache .ruff_cache \
	    .import_linter_cache *.egg-info

.PHONY: help setup quickstart lint test test-base test-network test-real test-board bench fuzz snapshot pictures dist lock clean
