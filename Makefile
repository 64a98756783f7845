# Needs Python 3.11 or newer, make and the network. Every target sets up what it needs.

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-once test test-postgresql-15 check bench docs screens format lock clean

BIN := .venv/bin
PARALLEL ?= -n auto
POSTGRESQL_15 := /usr/lib/postgresql/15/bin

help:  ## show this
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 20

setup:  ## make .venv with everything pinned; quick when nothing changed
	@tools/set-up

demo: setup  ## run the platform with the demo world until Ctrl-C
	@ZORGID_LOG_LEVEL=$${ZORGID_LOG_LEVEL:-warning} $(BIN)/zorgid demo

demo-once: setup  ## the main job by itself, with progress; REPORT=facts.json keeps the facts
	@ZORGID_LOG_LEVEL=$${ZORGID_LOG_LEVEL:-warning} $(BIN)/zorgid demo --once $(if $(REPORT),--report $(REPORT))

test: setup check debian  ## everything: format, lint, types, import contracts, all tests
	@$(BIN)/pytest $(PARALLEL) $(TESTS)

test-postgresql-15: setup debian  ## all tests on Debian's PostgreSQL 15 in place of the one that comes along
	@ZORGID_TEST_POSTGRESQL=$(POSTGRESQL_15) $(BIN)/pytest $(PARALLEL) $(TESTS)

.PHONY: debian
debian: setup
	@tools/debian-packages --from requirements/debian.txt
	@tools/set-up-pcsc

check: setup  ## format, lint, types, import contracts
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-cache >.venv/lint-imports.log 2>&1 || { cat .venv/lint-imports.log; exit 1; }

bench: setup  ## beside peers, as ratios, into docs/performance.md; MEASURES="ocsp crl" for some, REPEAT=2 for twice
	@tools/debian-packages --from requirements/debian-bench.txt
	@tools/set-up-pcsc
	@$(BIN)/python -m bench $(MEASURES) $(if $(REPEAT),--repeat $(REPEAT))

.PHONY: package
package: setup debian  ## the Desktop App for this system, into dist; PACKAGE="--flavour production ..." (docs/packages.md)
	@$(BIN)/python tools/package/make.py $(PACKAGE)

docs: setup  ## write those parts of the documentation that follow from the code
	@$(BIN)/python docs/generate.py

screens: setup  ## make the pictures in docs/screens anew
	@$(BIN)/python docs/screens.py

format: setup  ## put all code in the house's form
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --quiet --fix .

LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command 'make lock'

EXTRAS := $(foreach extra,server desktop pkcs11 demo test interop package,--extra $(extra))

lock:  ## pin all dependencies anew after a change in pyproject.toml (needs uv)
	@$(LOCK) $(EXTRAS) pyproject.toml --output-file requirements/development.txt
	@$(LOCK) --extra server pyproject.toml --constraint requirements/development.txt --output-file requirements/server.txt
	@$(LOCK) --no-deps requirements/interop.in --output-file requirements/interop.txt
	@$(LOCK) --no-deps requirements/pcsc.in --output-file requirements/pcsc.txt

clean:  ## remove what was made, but not the data in var
	@tools/take-away .venv
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .set-up.lock
