# SPDX-License-Identifier: MIT
# Every target does its own set-up; what is there already costs nothing. TIER=unit|native|vectors|scenarios|hil narrows `make test`.
.DEFAULT_GOAL := help
.PHONY: help setup base native micropython run test torture plans fuzz docs bench lint format clean
SHELL := /bin/bash
SETUP := host_tools/setup
PYTHON := .venv/bin/python

help: ## this list
	@echo 'phonetrust: which trust lists, configuration files and servers a phone believes, and why'
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

base:
	@$(SETUP)/venv.sh dev

native: base ## libphonetrust, its client and its PKCS#11 module for x86-64 and arm64, into build/native
	@$(SETUP)/apt.sh native
	@$(SETUP)/fetch-mbedtls.sh
	@$(MAKE) --silent --no-print-directory -C native
	@$(MAKE) --silent --no-print-directory -C native/client
	@$(MAKE) --silent --no-print-directory -C native/board
	@$(MAKE) --silent --no-print-directory -C native/pkcs11

micropython: ## the interpreter of the phone, arm64 and x86-64, into build/micropython
	@$(SETUP)/apt.sh micropython
	@$(SETUP)/micropython.sh aarch64 x86_64

setup: native micropython ## everything that run, test and bench need
	@$(SETUP)/apt.sh test image hil sip
	@$(SETUP)/venv.sh hil
	@$(SETUP)/servers.sh
	@$(SETUP)/sip-phone.sh $(shell uname -m)

run: native micropython ## a cluster on loopback and the booted board, step by step; PHONE=micropython: without QEMU's board; PICTURE=FILE
	@$(SETUP)/apt.sh image
	@$(PYTHON) -m host_tools.demo $(PHONE) --picture $(or $(PICTURE),docs/boot.svg)

test: setup $(if $(TIER),,lint) ## lint and all tests; TIER=unit for one tier, ARGS='-k name' for pytest
	@$(PYTHON) -m tests.run_tiers $(TIER) -- $(ARGS)

torture: setup ## attack, faults and load within an hour: a table, written to docs/security.md; SECONDS=600 for less
	@$(PYTHON) -m tests.torture --write $(if $(SECONDS),--seconds $(SECONDS)) $(ARGS)

plans: base native ## 207 random plans, each walked by real phones at served clusters: do they decide what the plan said?
	@PHONETRUST_PLANS=$(or $(PLANS),23) $(PYTHON) -m pytest -q --no-header tests/scenarios/test_plan_real.py $(ARGS)

fuzz: setup ## every fuzz target of C and of Python for SECONDS=60 each, and what ran how long
	@$(SETUP)/venv.sh fuzz
	@$(PYTHON) -m tests.torture.fuzz $(or $(SECONDS),60)

docs: base native ## docs/reasons.md and docs/phone.md anew from their tables; docs/procedures.md, docs/guide.md and docs/plan.png from what was done
	@PHONETRUST_WRITE_DOCS=1 $(PYTHON) -m pytest -q --no-header tests/repository/test_reasons.py tests/repository/test_settings_table.py
	@PHONETRUST_WRITE_DOCS=1 $(PYTHON) -m pytest -q --no-header -k host tests/scenarios/test_procedures_*.py tests/scenarios/test_steps_left_out.py
	@PHONETRUST_WRITE_DOCS=1 $(PYTHON) -m pytest -q --no-header tests/scenarios/test_guide_tasks.py tests/scenarios/test_pages.py

bench: setup ## measure both sides in one run: a table, build/bench.json, docs/performance.md; SUBJECT="tftp size" for some
	@$(PYTHON) -m host_tools.bench $(SUBJECT)

lint: base ## ruff, clang-format, mpy-cross and the rules of the repository
	@$(SETUP)/apt.sh lint
	@$(SETUP)/lint.sh

format: base ## bring the sources into the one format
	@$(SETUP)/apt.sh lint
	@.venv/bin/ruff check --quiet --fix-only .
	@.venv/bin/ruff format .
	@git ls-files 'native/*.[ch]' 'tests/native/*.[ch]' | xargs -r clang-format -i

clean: ## remove what was built and fetched, and .venv
	rm -rf build .venv *.egg-info
