# GNU make 3.81 or newer: Debian, Ubuntu, macOS. `make demo` needs nothing but Python and a network.
PYTHON ?= python3
KILLS  ?= 10000
ARGS   ?=

BIN  := .venv/bin
PIP  := $(BIN)/python -m pip --disable-pip-version-check
# What is there, so that the checks also run while a folder is still to be written.
CODE := $(wildcard staffbot handlers tests benchmarks)

# Without compiled bytecode every start pays about a second for the imports alone.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo dev test check faults bench screenshots pictures lock clean

demo: .venv/runtime.stamp
	$(BIN)/staffbot demo $(ARGS)

dev: .venv/dev.stamp

test: check
	$(BIN)/python -m pytest -n 2 --dist worksteal $(ARGS)

check: .venv/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(CODE)
	$(BIN)/lint-imports

# Kill the bot at random points, KILLS times, and count cards at the chat server.
faults: .venv/dev.stamp
	$(BIN)/python -m tests.faults --kills $(KILLS)

bench: .venv/dev.stamp
	$(BIN)/python -m benchmarks $(ARGS)

# Pictures of the local page, for the README and for eyes.
screenshots: .venv/dev.stamp
	STAFFBOT_SCREENSHOTS=$(CURDIR)/screenshots $(BIN)/python -m pytest -m browser $(ARGS)

# Pictures in the guides: a scripted day of the whole program. Look at them before you commit.
pictures: .venv/dev.stamp
	$(BIN)/python -m tests.pictures

# Pins and hashes for every platform and Python from 3.11 on. `make lock ARGS=--upgrade` moves them.
COMPILE = .uv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-emit-index-url --no-emit-find-links $(ARGS) --group build
lock: .uv/bin/uv
	$(COMPILE) pyproject.toml --extra postgres --extra charts --extra email -o requirements.lock
	$(COMPILE) pyproject.toml --all-extras -c requirements.lock -o requirements-dev.lock

.uv/bin/uv:
	$(PYTHON) -m venv .uv
	.uv/bin/python -m pip install --quiet uv

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo 'staffbot needs Python 3.11 or newer, and "$(PYTHON)" is older or missing.'; \
	  echo 'If you have a newer one under another name: make PYTHON=python3.12 demo'; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo 'This Python cannot make virtual environments yet.'; \
	  echo 'On Debian and Ubuntu: sudo apt install python3-venv'; exit 1; }
	$(PYTHON) -m venv .venv

# Hashes cannot be checked for a folder, so staffbot itself comes second, without dependencies and
# with the build backend that the lock has pinned.
INSTALL_STAFFBOT = $(PIP) install --quiet --no-deps --no-build-isolation -e .

.venv/runtime.stamp: requirements.lock pyproject.toml | .venv/bin/python
	@echo 'Installing what staffbot needs into .venv (once, about a minute) ...'
	@$(PIP) install --quiet --require-hashes -r requirements.lock
	@$(INSTALL_STAFFBOT)
	@touch $@

# The dev lock holds all of the runtime lock in the same versions, so it serves for both.
.venv/dev.stamp: requirements-dev.lock pyproject.toml | .venv/bin/python
	@echo 'Installing what developing staffbot needs into .venv (once, a minute or two) ...'
	@$(PIP) install --quiet --require-hashes -r requirements-dev.lock
	@$(INSTALL_STAFFBOT)
	@touch .venv/runtime.stamp $@

clean:
	rm -rf .venv .uv .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache \
	  build dist screenshots
	find $(CODE) -name __pycache__ -prune -exec rm -rf {} +
