# RubberDuck's commands. `make` alone lists them. Needed: Python 3.11 to 3.13, git and make; the rest is fetched once,
# pinned by hash, into .venv.

.DEFAULT_GOAL := help
unexport PYTHONPATH PYTHONHOME
# Without bytecode every command compiles all of RubberDuck again, which takes it three times as long.
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
BIN := $(VENV)/bin
# Stamps that say what .venv holds. A clone that was moved gets others, because an editable install names its folder.
HERE := $(firstword $(shell printf '%s' '$(CURDIR)' | cksum))
RUN := $(VENV)/.run-$(HERE)
DEV := $(VENV)/.dev-$(HERE)
BENCH := $(VENV)/.bench-$(HERE)
DIST := $(VENV)/.dist-$(HERE)

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	"$$p" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo "$$p" && break; done)
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
# Files of tests that are run at once, each with servers of its own. Many wait for programs, so one more than two cores.
# In their order: pytest-xdist would keep files with few tests to the end, and those take longest.
TESTERS ?= 3
# The lock names everything, so nothing is resolved again; pip would refuse an extra that only a dependency asks for.
INSTALL := $(PIP) install --quiet --no-deps --require-hashes -r
UV = $(or $(shell command -v uv),$(BIN)/uv)
COMPILE = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	--no-emit-index-url --no-emit-find-links $(UPGRADE)

# A relative PROJECT is meant from where make was called; after `make -C` that is $PWD. Of -C tells a `w` among the
# flags, which -s and --no-print-directory take away, and make's own command line.
MOVED := $(shell { tr '\0' '\n' </proc/$$PPID/cmdline || ps -ww -o args= -p $$PPID | tr ' ' '\n'; } 2>/dev/null | \
	grep -E -e '^(-[bBdeikLmnpqrRsStvw]*C|--di)')
CALLER := $(if $(findstring w,$(firstword -$(MAKEFLAGS)))$(MOVED),$(PWD),$(CURDIR))

# What was typed is a path and not a program: make expands no `$` in it.
ifdef PROJECT
override export PROJECT := $(value PROJECT)
endif

.PHONY: help run test check format bench soak dist docs lock dev clean project-named servers

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: project-named $(RUN) ## Open a code base, analyse it and show a report: make run PROJECT=path
	@case "$$PROJECT" in "~"|"~/"*) PROJECT="$$HOME$${PROJECT#"~"}" ;; esac; \
	root="$$PWD"; cd "$(CALLER)" && exec "$$root/$(BIN)/python" -P -m rubber_duck up "$$PROJECT"

test: $(DEV) servers ## Run every test, against real servers: make test ARGS="tests/unit -k scan"
	@$(BIN)/python -m pytest -n $(TESTERS) --dist loadfile --no-loadscope-reorder $(ARGS)

check: $(DEV) ## Lint, formatting, types, the import law, and whether the reference is current
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python docs/generate.py --check

format: $(DEV) ## Format the code and apply the linter's safe fixes
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(BENCH) ## Measure beside other tools, in one run; cases come from DUCK_BENCH_DATA
	@$(BIN)/python -m benchmarks $(ARGS)

soak: $(DEV) ## Run for a long time under load and faults, and report what was lost
	@$(BIN)/python -m benchmarks.soak $(ARGS)

dist: $(DIST) ## Make wheel, sdist, duck.pyz and a one-file duck in dist/, and try each against a running server
	@$(BIN)/python tools/dist.py $(ARGS)

docs: $(RUN) ## Write the reference in docs/reference/ anew from the code
	@$(BIN)/python docs/generate.py

lock: $(BIN)/python ## Pin the requirements anew; UPGRADE=--upgrade takes newer versions
	@[ -x "$(UV)" ] || $(INSTALL) requirements/lock.txt
	@$(COMPILE) pyproject.toml --group build -o requirements/run.txt
	@$(COMPILE) --group pyproject.toml:dev -c requirements/run.txt -o requirements/dev.txt
	@$(COMPILE) --group pyproject.toml:bench -c requirements/run.txt -c requirements/dev.txt -o requirements/bench.txt
	@$(COMPILE) --group pyproject.toml:dist -c requirements/run.txt -o requirements/dist.txt
	@$(COMPILE) --group pyproject.toml:lock -o requirements/lock.txt

dev: $(DEV) ## Get ready to work on RubberDuck: everything tests need, and the commit hooks
	@$(BIN)/prek install

clean: ## Remove what these commands made in this folder
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache benchmarks/results
	find src tests benchmarks docs -name __pycache__ -type d -prune -exec rm -rf {} +

project-named:
	@[ -n "$$PROJECT" ] || { echo "Say which code base to open: make run PROJECT=path/to/it" >&2; exit 2; }

servers:
	@tests/servers.sh

$(BIN)/python:
	@python="$(PYTHON)"; "$${python:-false}" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
		2>/dev/null || { echo "RubberDuck needs Python 3.11, 3.12 or 3.13; $${python:-none that was found} is not one." \
		"Install one, or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python3.12" >&2; exit 2; }; \
	echo "Making $(VENV) …"; "$$python" -m venv --clear $(VENV) || { rm -rf $(VENV); \
		echo "Python could not make a virtual environment; on Debian: apt-get install python3-venv" >&2; exit 2; }

$(RUN): $(BIN)/python requirements/run.txt pyproject.toml
	@echo "Installing what RubberDuck needs, pinned by hash (once) …"
	@$(INSTALL) requirements/run.txt
	@$(PIP) install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(DEV): $(RUN) requirements/dev.txt
	@echo "Installing what checks and tests need (once) …"
	@$(INSTALL) requirements/dev.txt
	@touch $@

$(BENCH): $(DEV) requirements/bench.txt
	@echo "Installing what benchmarks compare with (once) …"
	@$(INSTALL) requirements/bench.txt
	@touch $@

$(DIST): $(DEV) requirements/dist.txt
	@echo "Installing what makes distributions (once) …"
	@$(INSTALL) requirements/dist.txt
	@touch $@
