# One command a task. PYTHON may name another interpreter.
PYTHON ?= python3

.PHONY: check test all catalogue format parity abi-matrix

check: ## lint, types, architecture
	ruff check .
	ruff format --check .
	mypy
	lint-imports

test: ## the tests that need no torch
	pytest -m "not export"

all: check ## everything CI runs; needs the extra `dev`
	pytest

format:
	ruff check --fix .
	ruff format .

catalogue: ## what is new to say in Chinese: fill it in, in funasr_cli/cli/messages/zh.po
	PYTHONPATH=.:tests $(PYTHON) tests/make_catalogue.py

parity: ## run the reference live, in a venv of its own, and print the worst figures
	$(PYTHON) tests/parity/live.py

abi-matrix: ## try every llama.cpp build of the registries, and write docs/LLAMA_BUILDS.md
	$(PYTHON) tests/llama/matrix.py
