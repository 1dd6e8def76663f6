# `make help` lists the targets. Everything runs from .venv, which is created on first use.

PYTHON ?= python3
UV ?= uv
DIST ?= dist

# The contract, the guards against doubles, and a worker that works; well under a minute for both.
TESTS_OF_RQ = tests/test_rq.py tests/ledger/test_contract.py tests/ledger/test_claim.py \
  tests/ledger/test_overlap.py tests/jobs/test_unique.py \
  tests/jobs/test_enqueues_like_rq.py tests/worker tests/live/test_worker.py \
  tests/live/test_worker_runs.py::test_a_record_says_when_and_where \
  tests/live/test_worker_runs.py::test_a_skipped_job_has_its_value_and_can_be_told_from_a_finished_one \
  tests/live/test_worker_stop.py::test_a_job_that_does_not_is_told_and_goes_back_to_its_queue_where_it_has_retries

# Errors only: pip's warnings are about the machine's configuration, not this project.
PIP_INSTALL = .venv/bin/python -m pip install -qq --disable-pip-version-check

# The tests start more than a thousand processes, each of which would compile all it imports.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test test-croniter6 test-rq2 rq-suite fuzz faults faults-rivals retention bench bench-web screenshots docs lint format lock wheel clean

help: ## list the targets
	@awk -F ' *## *' '/^[a-z0-9-]+:.*## / { split($$1, target, ":"); printf "make %-14s %s\n", target[1], $$2 }' Makefile

# exec leaves no shell between make and the clock, so that Ctrl-C reaches it once.
run: .venv/ready ## start everything for schedules/main.py on this machine; Ctrl-C stops it
	@exec .venv/bin/clock dev schedules/main.py -c settings --embedded

test: .venv/ready .venv/clients .venv/rivals .venv/openapi-client .venv/chromium .venv/postgresql ## run the tests; make test ARGS='-k fold' for some of them
	.venv/bin/python -m pytest $(or $(ARGS),-n 8 -m "not alone")
	@[ -n "$(ARGS)" ] || .venv/bin/python -m pytest -n 3 -m alone
	@[ -n "$(ARGS)" ] || $(MAKE) --no-print-directory test-croniter6 test-rq2 docs

# The answers must not depend on the croniter; the other one goes before .venv's on the import path.
test-croniter6: .venv/ready ## run the tests of time and of schedules against croniter 6
	CRONITER_MAJOR=6 PYTHONPATH=.venv/croniter6 .venv/bin/python -m pytest -n 2 $(ARGS) \
	  tests/test_croniter.py tests/recurrence tests/schedule

# What a claim writes, what overlaps, and that a worker works: on the RQs before the locked one.
test-rq2: .venv/ready ## run the tests of what RQ reads and does against RQ 2.9 and 2.12
	@for release in 2.9 2.12; do \
	  RQ_RELEASE=$$release PYTHONPATH=.venv/rq$$release .venv/bin/python -m pytest -n 2 $(ARGS) $(TESTS_OF_RQ) || exit 1; \
	done

# Not part of `make test`: it takes minutes, and many of RQ's tests wait for a fixed time.
rq-suite: .venv/rq-suite ## run RQ's own tests with our worker; RELEASE=3.0.0, ARGS=tests/test_worker.py
	@for folder in .venv/rq-suite/rq-$(or $(RELEASE),*[0-9]); do \
	  .venv/bin/python -m tests.rq_suite $$folder $(ARGS) || exit 1; \
	done

fuzz: .venv/fuzz ## fuzz the parsers of time; make fuzz SECONDS=600 for longer
	PYTHONPATH=.:.venv/fuzz .venv/bin/python tests/fuzz/fuzz_cron.py \
	  -max_total_time=$(or $(SECONDS),60) -max_len=80

faults: .venv/ready ## kill clocks, workers and servers, fail over, count jobs; MINUTES=12 SEED=1
	.venv/bin/python -m benchmarks.faults --minutes $(or $(MINUTES),3) $(if $(SEED),--seed $(SEED))
	.venv/bin/python -m benchmarks.faults.workers --minutes $(or $(MINUTES),3) $(if $(SEED),--seed $(SEED))
	.venv/bin/python -m benchmarks.faults.failovers --minutes $(or $(MINUTES),3) $(if $(SEED),--seed $(SEED))

faults-rivals: .venv/rivals ## the same for rq cron, rq-scheduler and Celery beat; MINUTES, SEED
	.venv/bin/python -m benchmarks.faults.contest --venv .venv/rivals \
	  --minutes $(or $(MINUTES),3) $(if $(SEED),--seed $(SEED))

retention: .venv/ready ## simulate a day of jobs and count what is kept; WORKER=rq for RQ's own worker
	.venv/bin/python -m benchmarks.retention --worker $(or $(WORKER),clock.worker.Worker)

bench: .venv/bench ## measure everything against peers and floors, and write docs/speed.md
	.venv/bench/bin/python -m benchmarks --record docs/speed.md

# One question, without writing the page: make bench-burst.
bench-%: .venv/bench
	.venv/bench/bin/python -m benchmarks $(subst -,_,$*)

screenshots: .venv/ready .venv/chromium ## take docs/screenshots/*.png again
	.venv/bin/python -m tests.browser.screenshots

# Not --quiet: MkDocs then counts no warnings, and --strict finds nothing.
docs: .venv/docs ## build the site of docs/ into site/; a broken link or anchor is an error
	@NO_MKDOCS_2_WARNING=1 .venv/docs/bin/mkdocs build --strict --clean

bench-web: .venv/ready .venv/chromium ## measure the web UI and the API with many events and runs
	.venv/bin/python -m benchmarks.web --record docs/web.md

lint: .venv/ready ## ruff and mypy, as the pre-commit hook runs them
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy

format: .venv/ready ## let ruff fix what it can
	.venv/bin/ruff check --fix
	.venv/bin/ruff format

wheel: .venv/ready ## build the wheel into dist/
	.venv/bin/python -m build --wheel --no-isolation --outdir $(DIST)

# dev is locked under the pins of runtime, so that tests run what users get.
lock: ## lock requirements/*.in again, with uv; make lock ARGS=--upgrade for newer versions
	@command -v $(UV) >/dev/null || { echo "make lock needs uv: pip install uv" >&2; exit 1; }
	@for list in runtime dev croniter6 rq2.9 rq2.12 rq3.0 rq-suite fuzz rivals bench docs openapi-client; do \
	  case $$list in rq[23].*) alone=--no-deps ;; *) alone= ;; esac; \
	  $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
	    $$alone $(ARGS) --output-file requirements/$$list.txt requirements/$$list.in || exit 1; \
	done

clean: ## remove .venv, dist/, site/ and caches
	rm -rf .venv dist site .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/fuzz: .venv/ready requirements/fuzz.txt
	@$(PIP_INSTALL) --require-hashes --no-deps --target $@ -r requirements/fuzz.txt
	@touch $@

# The tests of RQ are in its sdists only, and are not ours to publish.
.venv/rq-suite: .venv/ready requirements/rq2.12.txt requirements/rq3.0.txt requirements/rq-suite.txt
	@rm -rf $@
	@for release in rq2.12 rq3.0; do \
	  .venv/bin/python -m pip download -qq --disable-pip-version-check --require-hashes --no-deps --no-binary rq \
	    --no-build-isolation --dest $@ -r requirements/$$release.txt || exit 1; \
	done
	@for sdist in $@/*.tar.gz; do tar -xzf $$sdist -C $@ || exit 1; done
	@$(PIP_INSTALL) --require-hashes --no-deps --target $@/site -r requirements/rq-suite.txt
	@touch $@

# A Redis client for Node and redis-cli, for the snippets of docs/wire.md; axe-core, for tests/browser.
.venv/clients: .venv/ready .ci/clients requirements/node/package-lock.json
	@.ci/clients $@
	@touch $@

# A browser for tests/browser; they are skipped where it cannot be installed.
.venv/chromium: .venv/ready .ci/chromium
	@.ci/chromium
	@touch $@

# A database for the live tests of sources; those with PostgreSQL are skipped where it cannot be installed.
.venv/postgresql: .venv/ready .ci/postgresql
	@.ci/postgresql
	@touch $@

.venv/rivals: .venv/ready requirements/rivals.txt
	@$(PYTHON) -m venv --clear $@
	@$@/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements/rivals.txt
	@touch $@

.venv/docs: .venv/ready requirements/docs.txt
	@$(PYTHON) -m venv --clear $@
	@$@/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements/docs.txt
	@touch $@

# Generates a client from the description of the API for tests/web.
.venv/openapi-client: .venv/ready requirements/openapi-client.txt
	@$(PYTHON) -m venv --clear $@
	@$@/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements/openapi-client.txt
	@touch $@

.venv/bench: .venv/ready pyproject.toml requirements/bench.txt
	@$(PYTHON) -m venv --clear $@
	@$@/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements/bench.txt
	@$@/bin/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# Created again, not updated: a package that left the lock file must leave .venv too.
.venv/ready: pyproject.toml requirements/dev.txt requirements/croniter6.txt requirements/rq2.9.txt requirements/rq2.12.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "rq-clock needs Python 3.11 or newer: make PYTHON=python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "This Python cannot make a venv; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@echo "making .venv from requirements/dev.txt"
	@$(PYTHON) -m venv --clear .venv
	@$(PIP_INSTALL) --require-hashes -r requirements/dev.txt
	@for other in croniter6 rq2.9 rq2.12; do \
	  $(PIP_INSTALL) --require-hashes --no-deps --target .venv/$$other -r requirements/$$other.txt || exit 1; \
	done
	@$(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@
