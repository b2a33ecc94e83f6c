# Every habit is one word. All of it works from nothing but Python, make and a C
# compiler: what else is needed goes into .venv.

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

ENGINE = $(wildcard src/fastdispatch/engine/*.py src/fastdispatch/engine/*.pxd)
INSTALLED = $(VENV)/.installed
LINT_INSTALLED = $(VENV)/.installed-lint

.PHONY: build serve test test-compiled test-pure lint wheel annotate parity clean

build: $(INSTALLED)

# pip 25.1 is the first that knows dependency groups.
$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'

$(VENV)/.dev: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --group dev
	touch $@

$(INSTALLED): $(VENV)/.dev setup.py pyproject.toml $(ENGINE)
	FASTDISPATCH_BUILD=require $(BIN)/python -m pip install --quiet \
		--no-build-isolation --editable .
	$(BIN)/python -m fastdispatch
	touch $@

test: test-compiled test-pure

test-compiled: $(INSTALLED)
	@echo "== the compiled build =="
	FASTDISPATCH_PURE=0 FASTDISPATCH_EXPECT=compiled $(BIN)/python -m pytest $(ARGS)

test-pure: $(INSTALLED)
	@echo "== the pure build =="
	FASTDISPATCH_PURE=1 FASTDISPATCH_EXPECT=pure $(BIN)/python -m pytest $(ARGS)

clean:
	rm -rf build dist wheelhouse .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis
	rm -rf src/*.egg-info
	find src -name '*.so' -delete
	find . -name __pycache__ -prune -exec rm -rf {} +
