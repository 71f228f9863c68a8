# SPDX-License-Identifier: Apache-2.0
# Each target sets up what it needs, on a machine that has Python 3.11 or newer, make and the package registries.

PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
BIN := .venv/bin
READY := .venv/.ready
PROVIDERS := tests/real/oidc_provider tests/real/saml_idp_node tests/real/s3_client_node
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder
ARGS ?=

.PHONY: setup demo test check coverage format docs bench fuzz lock help

help:  ## Say what the targets do
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1|/' | column -t -s '|'

setup: $(READY)  ## Make .venv with everything that is pinned, and the real providers for tests where npm is there

$(READY): requirements.lock pyproject.toml $(PROVIDERS:%=%/package-lock.json)
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@if command -v npm >/dev/null; then \
	for folder in $(PROVIDERS); do npm ci --prefix $$folder --silent --no-audit --no-fund || exit 1; done; \
	else echo "npm is not here: tests with real programs that need Node.js will be skipped"; fi
	@touch $@

demo: $(READY)  ## Show the whole path on a throw-away server (ARGS=--exit ends it afterwards)
	$(BIN)/daypass demo $(ARGS)

test: $(READY)  ## Run the tests
	$(PYTEST) $(ARGS)

check: $(READY)  ## Format, lint, types, import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy src tests bench
	$(BIN)/lint-imports

coverage: $(READY)  ## See that every branch of the policy engine and of the SAML verification is reached by a test
	$(BIN)/python -m coverage run --branch --source=src/daypass/policy,src/daypass/saml -m pytest \
		-n 0 -q tests/policy tests/access tests/cli/test_explain.py tests/iam/test_simulation.py tests/saml
	$(BIN)/python -m coverage report --show-missing --skip-covered --fail-under=100

format: $(READY)  ## Format, and fix what can be fixed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(READY)  ## Write the reference pages again
	$(BIN)/python docs/generate.py

bench: $(READY)  ## Measure against a bare handler and a moto server (needs wrk)
	$(BIN)/python -m bench $(ARGS)

fuzz: $(READY)  ## Run the generated tests for long
	DAYPASS_FUZZ_CASES=1000000 HYPOTHESIS_PROFILE=long $(PYTEST) tests/policy tests/sigv4 tests/awsapi tests/jose tests/oidc tests/saml $(ARGS)

lock: $(READY)  ## Resolve the dependencies again
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --extra dev --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-header --no-annotate -o requirements.lock pyproject.toml
