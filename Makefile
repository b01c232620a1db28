# Every target is one line that a person can type; CI calls the targets and holds no logic.
PYTHON ?= python3
NODES ?= 1
BIN := .venv/bin

.PHONY: help setup demo up test check fmt lint types imports schemas pages bench fuzz crash kafka postgres stop lock

help: ## show this list
	@awk -F ' *## *' '/^[a-z]+:.*##/ { sub(/:.*/, "", $$1); printf "make %-10s %s\n", $$1, $$2 }' Makefile

setup: .venv/ready ## make .venv with the hash-pinned dependencies

demo: setup ## run a rollout of 200 cases to its end, with the simulators
	$(BIN)/hub demo --cases 200 --seed 7 --until-done

up: setup ## run the hub, embedded, and print a sign-in link
	$(BIN)/hub up

test: setup ## run all tests; real Kafka and PostgreSQL are started and stopped
	$(BIN)/python -m pytest -n 2 --dist loadgroup -m "not slow"

check: fmt lint types imports schemas pages ## everything that is checked without running the hub

fmt: setup ## formatting
	$(BIN)/ruff format --check .

lint: setup ## rules of style
	$(BIN)/ruff check .

types: setup ## mypy, strict
	$(BIN)/mypy

imports: setup ## who may import whom
	$(BIN)/lint-imports

schemas: setup ## the published schemas are those of the code
	$(BIN)/python -m contracts.generate --check

pages: setup ## the pages made from the code's tables are fresh
	$(BIN)/python -m hub.pages --check

bench: setup ## measure, each figure beside its anchors
	$(BIN)/hub bench

fuzz: setup ## 100,000 mutated messages of every dialect
	$(BIN)/python -m tests.fuzz

crash: setup ## the long fault tests
	$(BIN)/python -m pytest -m slow

kafka: ## start a real Kafka on this machine: make kafka NODES=3
	$(PYTHON) -m tests.servers kafka start --nodes $(NODES)

postgres: ## start a real PostgreSQL on this machine
	$(PYTHON) -m tests.servers postgres start

stop: ## stop what `make kafka` and `make postgres` started
	$(PYTHON) -m tests.servers kafka stop
	$(PYTHON) -m tests.servers postgres stop

lock: setup ## choose newer dependencies and pin them by hash
	$(BIN)/uv pip compile --upgrade --quiet --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header --extra test pyproject.toml -o requirements.txt

# uv comes first, by pip and pinned by the same list, because it installs the rest in a second where pip takes 40.
.venv/ready: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed. Name it: make setup PYTHON=python3.11" >&2; exit 1; }
	@test -x $(BIN)/uv || $(PYTHON) -m venv .venv || { echo "$(PYTHON) cannot make environments. On Debian: apt-get install -y python3-venv" >&2; exit 1; }
	@test -x $(BIN)/uv || sed -n '/^uv==/,/[^\\]$$/p' requirements.txt > .venv/uv.txt
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r .venv/uv.txt
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.txt
	$(BIN)/uv pip install --quiet --offline --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@
