# Every habit is one word. All of it works from nothing but Python, make and a C
# compiler: whatever else is needed goes into the virtual environment $(VENV).
#
#   make serve     the example program, on granian
#   make test      all tests, on the compiled build and on the pure one
#   make lint      formatting, types, workflows
#   make wheel     sdist and wheels, each installed and tested
#   make bench     the benchmarks, their pictures and tables; with ARGS, a part of it;
#                  NOTE="Debian's" says whose build of Python that is
#   make bench-servers  hello world through real servers; needs wrk (apt-get install wrk)
#   make bench-instructions  where a request's instructions go; needs valgrind
#   make bench-footprint  imports, memory, sizes, a million requests
#   make bench-python PYTHON=python3.14 VENV=.venv-3.14   the benchmark there, to compare
#   make bench-other FLASK=DIR   what accelerate brings on that Flask; see flask-other
#   make annotate  Cython's view of the compiled modules, as HTML
#   make parity    Flask's own tests, on App
#   make flask-suite   Flask's own tests, on accelerated Flask
#   make flask-other FLASK=DIR   the same and all tests, on the Flask whose source is in
#                  DIR: a checkout of its main branch, say
#   make extensions    Flask's extensions and tracers, on accelerated Flask
#   make sanitize  the tests on an engine built with AddressSanitizer and UBSan, of gcc
#
# PYTHON=python3.12 VENV=.venv-3.12 uses another interpreter; ARGS="-x -k hooks" goes to
# pytest (test, wheel), to the benchmark or to the parity run.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

ENGINE := $(wildcard src/fastdispatch/engine/*.py src/fastdispatch/engine/*.pxd)
SOURCES := setup.py pyproject.toml src/fastdispatch/__init__.py $(ENGINE)

.PHONY: build serve test test-compiled test-pure lint wheel bench bench-servers bench-instructions bench-footprint bench-python bench-other bench-flask annotate parity flask-suite flask-other test-flask extensions test-extensions sanitize test-sanitize clean

build: $(VENV)/.built

# pip 25.1 is the first that knows dependency groups.
$(VENV)/.made:
	$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11), "fastdispatch needs Python 3.11 or newer"'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	touch $@

$(VENV)/.group-%: $(VENV)/.made pyproject.toml
	$(BIN)/python -m pip install --quiet --group $*
	touch $@

# One pip at a time, under make -j too.
$(addprefix $(VENV)/.group-,bench dev lint serve): | $(VENV)/.built

$(VENV)/.built: $(VENV)/.group-build $(SOURCES)
	FASTDISPATCH_BUILD=require $(BIN)/python -m pip install --quiet \
		--no-build-isolation --editable .
	FASTDISPATCH_PURE=0 $(BIN)/python -m fastdispatch
	touch $@

serve: $(VENV)/.built $(VENV)/.group-serve
	@echo "The notes example, on http://127.0.0.1:8000 (Ctrl-C stops it). To try:"
	@echo "  a browser: register, log in, write notes, upload a file"
	@echo "  curl -i http://127.0.0.1:8000/"
	PYTHONPATH=examples $(BIN)/granian --interface wsgi --host 127.0.0.1 --port 8000 \
		--blocking-threads 8 notes.wsgi:app

test: test-compiled test-pure

test-compiled: $(VENV)/.built $(VENV)/.group-dev
	@echo "== all tests on the compiled build"
	FASTDISPATCH_PURE=0 FASTDISPATCH_EXPECT=compiled $(BIN)/python -m pytest $(ARGS)

test-pure: $(VENV)/.built $(VENV)/.group-dev
	@echo "== all tests on the pure build"
	FASTDISPATCH_PURE=1 FASTDISPATCH_EXPECT=pure $(BIN)/python -m pytest $(ARGS)

lint: $(VENV)/.built $(VENV)/.group-lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(BIN)/python
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/jactionlint --strict-exit
	$(BIN)/zizmor --offline --quiet --pedantic .github
	$(BIN)/python tools/check_identifiers.py

wheel: $(VENV)/.group-package
	$(BIN)/python tools/check_wheels.py $(ARGS)

bench: $(VENV)/.built $(VENV)/.group-bench
	FASTDISPATCH_PURE=0 $(BIN)/python -m bench \
		$(or $(ARGS),--full --note "$(NOTE)" --json bench/results/latest.json)
ifndef ARGS
	FASTDISPATCH_PURE=0 $(BIN)/python -m bench.micro --json bench/results/micro.json
	FASTDISPATCH_PURE=0 $(BIN)/python -m bench.growth --json bench/results/growth.json
	$(BIN)/python -m bench.report
	$(BIN)/python -m bench.growth --draw
endif

# A server that cannot be installed is reported as missing, by the run itself.
bench-servers: $(VENV)/.built $(VENV)/.group-bench
	FASTDISPATCH_PURE=0 $(BIN)/python -m bench.servers --install \
		$(or $(ARGS),--json bench/results/servers.json)
ifndef ARGS
	$(BIN)/python -m bench.servers.report
endif

bench-instructions: $(VENV)/.built $(VENV)/.group-bench
	FASTDISPATCH_PURE=0 $(BIN)/python -m bench.instructions \
		$(or $(ARGS),--json bench/results/instructions.json)
ifndef ARGS
	$(BIN)/python -m bench.instructions --draw
endif

bench-footprint: $(VENV)/.built $(VENV)/.group-bench
	FASTDISPATCH_PURE=0 $(BIN)/python -m bench.footprint \
		$(or $(ARGS),--json bench/results/footprint.json)
ifndef ARGS
	$(BIN)/python -m bench.footprint.report
endif

bench-python: $(VENV)/.built $(VENV)/.group-bench
	FASTDISPATCH_PURE=0 $(BIN)/python -m bench --full --note "$(NOTE)" \
		--json bench/results/other-python.json
	$(BIN)/python -m bench.report

# What accelerate brings on the Flask whose source is in FLASK=DIR: one of its other kind.
bench-other:
	$(if $(FLASK),,$(error FLASK=DIR has to say where the source of a Flask is))
	$(MAKE) bench-flask VENV=$(VENV)-flask FLASK=$(abspath $(FLASK))

bench-flask: $(VENV)/.built $(VENV)/.group-bench
	$(BIN)/python -m pip install --quiet $(FLASK)
	FASTDISPATCH_PURE=0 $(BIN)/python -m bench.micro -k accelerated \
		--json bench/results/micro-other.json

annotate: $(VENV)/.group-build
	$(BIN)/python tools/annotate.py build/annotate

parity: $(VENV)/.built $(VENV)/.group-dev
	$(BIN)/python tools/parity.py $(ARGS)

flask-suite: $(VENV)/.built $(VENV)/.group-dev
	$(BIN)/python tools/flask_suite.py $(ARGS)

# In an environment of its own, where that Flask takes the place of the released one.
flask-other:
	$(if $(FLASK),,$(error FLASK=DIR has to say where the source of a Flask is))
	$(MAKE) test-flask VENV=$(VENV)-flask FLASK=$(abspath $(FLASK))

test-flask: $(VENV)/.built $(VENV)/.group-dev
	$(BIN)/python -m pip install --quiet $(FLASK)
	$(BIN)/python tools/flask_suite.py --source $(FLASK)
	FASTDISPATCH_PURE=0 FASTDISPATCH_EXPECT=compiled $(BIN)/python -m pytest $(ARGS)
	FASTDISPATCH_PURE=1 FASTDISPATCH_EXPECT=pure $(BIN)/python -m pytest $(ARGS)

# In an environment of its own: they bring much along that no other test should see.
extensions:
	$(MAKE) test-extensions VENV=$(VENV)-extensions

test-extensions: $(VENV)/.built $(VENV)/.group-extensions
	@echo "== extensions on the compiled build"
	FASTDISPATCH_PURE=0 FASTDISPATCH_EXPECT=compiled $(BIN)/python -m pytest tests/extensions $(ARGS)
	@echo "== extensions on the pure build"
	FASTDISPATCH_PURE=1 FASTDISPATCH_EXPECT=pure $(BIN)/python -m pytest tests/extensions $(ARGS)

# Built beside the checkout's own extensions. A report ends its process, which may be one
# that a test has started, and is in a file, since pytest keeps what goes to stderr. That
# greenlet copies stacks is reported as well, hence what is left out.
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=undefined
sanitize:
	$(MAKE) test-sanitize VENV=$(VENV)-sanitize

test-sanitize: $(VENV)/.group-dev
	rm -rf build/sanitize && mkdir -p build/sanitize/reports
	CFLAGS="-O1 -g -fno-omit-frame-pointer $(SANITIZE)" LDSHARED="gcc -shared $(SANITIZE)" \
		FASTDISPATCH_BUILD=require $(BIN)/python setup.py --quiet build \
		--build-base build/sanitize --build-lib build/sanitize/lib
	status=0; \
	LD_PRELOAD="$$(gcc -print-file-name=libasan.so) $$(gcc -print-file-name=libubsan.so)" \
		ASAN_OPTIONS=detect_leaks=0:log_path=$(abspath build/sanitize/reports)/asan \
		UBSAN_OPTIONS=print_stacktrace=1:log_path=$(abspath build/sanitize/reports)/ubsan \
		PYTHONPATH=$(abspath build/sanitize/lib) PYTHONMALLOC=malloc \
		FASTDISPATCH_PURE=0 FASTDISPATCH_EXPECT=compiled \
		$(BIN)/python -m pytest $(or $(ARGS),--ignore=tests/servers -k "not gevent and not greenlet") \
		|| status=$$?; \
	for report in build/sanitize/reports/*; do \
		[ ! -e "$$report" ] || { status=1; cat "$$report"; }; \
	done; \
	exit $$status

clean:
	rm -rf build dist wheelhouse .venv .venv-* src/*.egg-info
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find src -name '*.so' -delete
	find . -name __pycache__ -prune -exec rm -rf {} +
