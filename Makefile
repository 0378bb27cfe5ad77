# The doors. They set up what they need in .venv; `python -m heliograph` is the same on every system.
PYTHON ?= python3

.PHONY: run test lint bench setup
run test lint bench setup:
	@$(PYTHON) -m heliograph $@
