# Two commands: `make run` opens the chat, `make test` runs the tests. Both set up .venv from the hashed locks.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
LOCK_OPTIONS := -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate \
	--override requirements/overrides.txt
# Two processes, each with whole files in their order, so that those of the browser come last in both.
SIDE_BY_SIDE := -n 2 --dist loadfile --no-loadscope-reorder
LOCK_INPUT := pyproject.toml requirements/starter.in requirements/build.in

.PHONY: run test check pages wheel test-starter-onnx test-faults test-offline test-open-webui test-browser-page test-conformance coverage bench setup setup-dev lock screenshot clean
.DEFAULT_GOAL := run

run: $(VENV)/.run-ready
	@$(BIN)/python tools/build_pages.py --optional
	@exec $(BIN)/homeward up

test: $(VENV)/.dev-ready pages
	$(BIN)/python -m pytest $(SIDE_BY_SIDE)

# The starter as an ONNX model, made and compared; minutes, and gigabytes of packages.
test-starter-onnx: $(VENV)/.dev-ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "pip>=25.1"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group onnx
	$(BIN)/python -m pytest -m opt_in tests/engines/test_starter_onnx.py

# What can break, broken on purpose; slower than what `test` runs of it.
test-faults: $(VENV)/.dev-ready
	$(BIN)/python -m pytest tests/faults -m "opt_in or not opt_in"

# A real Open WebUI, installed from the registry (half a gigabyte), driven in Chromium.
test-open-webui: $(VENV)/.dev-ready
	$(BIN)/python -m pytest -m open_webui tests/open_webui

# The pages that run models in the browser: their units, and the pages in Chromium.
test-browser-page: $(VENV)/.dev-ready pages
	$(BIN)/python tools/build_pages.py --test
	$(BIN)/python -m pytest -m browser_page tests/browser

# The pages that run models in the browser; built with the system's Node, or with PyPI's.
pages: $(VENV)/bin/python
	@$(BIN)/python tools/build_pages.py

# Suites that nobody here wrote; they are fetched from the registries. Node is needed.
test-conformance: $(VENV)/.dev-ready
	$(BIN)/python -m pytest -m conformance tests/conformance

# What decides is covered to its last branch.
coverage: $(VENV)/.dev-ready
	$(BIN)/python -m pytest tests/routing tests/privacy --cov=homeward.routing --cov=homeward.privacy --cov-branch \
		--cov-fail-under=100 --cov-report=term-missing:skip-covered

# Every Homeward that the browser tests start, with `local-only` and under strace: fails on any connection to another
# machine. Those of clouds are left out: with this policy there are none. Linux.
test-offline: $(VENV)/.dev-ready
	rm -rf .traces && mkdir .traces
	E2E_TRACES=$(CURDIR)/.traces $(BIN)/python -m pytest tests/e2e --ignore=tests/e2e/test_hybrid.py \
		--ignore=tests/e2e/test_going_on.py
	$(BIN)/python tools/foreign_connections.py .traces

# Exactly what CI runs before the tests.
check: $(VENV)/.dev-ready
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.dev-ready
	$(BIN)/python -m bench.startup
	$(BIN)/python -m bench.fluency
	$(BIN)/python -m bench.engines
	$(BIN)/python -m bench.privacy
	$(BIN)/python -m bench.routing
	$(BIN)/python -m bench.tasks
	$(BIN)/python -m bench.leaks
	$(BIN)/python -m bench.embeddings
	$(BIN)/python -m bench.gateway
	$(BIN)/python -m bench.browser

# What is installed elsewhere: with the pages, and compressed copies of them.
wheel: $(VENV)/.dev-ready
	$(BIN)/python tools/build_pages.py --pack
	$(BIN)/python -m hatchling build -t wheel

screenshot: $(VENV)/.dev-ready
	$(BIN)/python tools/screenshot.py

setup: $(VENV)/.run-ready
setup-dev: $(VENV)/.dev-ready

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
		{ echo "Homeward needs Python 3.11, 3.12 or 3.13. Name one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run-ready: $(VENV)/bin/python requirements.lock pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev-ready: $(VENV)/bin/python requirements-dev.lock pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/.run-ready

# Needs uv. The locks name packages, versions, hashes and markers, and no registry.
lock:
	uv pip compile $(LOCK_OPTIONS) $(LOCK_INPUT) -o requirements.lock
	uv pip compile $(filter-out --override requirements/overrides.txt,$(LOCK_OPTIONS)) \
		--excludes src/homeward/app/open_webui/excludes.txt src/homeward/app/open_webui/requirements.in \
		-o src/homeward/app/open_webui/requirements.txt
	uv pip compile $(LOCK_OPTIONS) requirements/node.in -o requirements/node.txt
	uv pip compile $(LOCK_OPTIONS) --all-extras -c requirements.lock $(LOCK_INPUT) --group dev -o requirements-dev.lock

clean:
	rm -rf $(VENV) build dist src/homeward/browser/pages web/node_modules test-results .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
