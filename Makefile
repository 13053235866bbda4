# LARouter's commands; `make` alone lists them. Nothing here is newer than GNU make 3.81, which
# macOS ships, and every path is relative, so the checkout may lie in a folder with spaces.

python = .venv/bin/python
pure = larouter/core/*,larouter/wire/*,larouter/routing/*,larouter/gateway.py
late = slow or engine or browser or agent
compile = $(python) -m uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-header --no-emit-index-url $(UPGRADE)
export PYTHON

.PHONY: help run test style types house pytest chaos bench lock clean
.DEFAULT_GOAL = help

help: ## list these commands
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1 - \2/p' Makefile

run: ## install what is missing, then serve on http://127.0.0.1:18790
	@sh requirements/setup.sh run

test: .tools style types house ## install the test tools, then run everything that CI runs
	@sh requirements/setup.sh browser
	@sh requirements/setup.sh agents
	@sh requirements/setup.sh database
	@$(MAKE) --no-print-directory pytest

# The fast tests first, a file to each core at a time; then, one by one, those that start engines,
# browsers and whole servers. The data folder is a new one, so that no test can touch the
# developer's own. The late ones run untraced: with a
# tracer, CPython 3.11 fails to start a thread now and then while another is being started. Exit 5: no such test was there.
pytest: .tools ## run the tests alone, with coverage
	@home=$$(mktemp -d) && trap 'rm -rf "$$home"' EXIT && export LAROUTER_HOME="$$home" && \
	$(python) -m coverage erase && \
	$(python) -m coverage run -m pytest -n auto --maxprocesses 4 --dist loadfile \
		-m 'not ($(late) or live)' && \
	{ $(python) -m pytest -m '($(late)) and not live' || [ $$? -eq 5 ]; }
	@$(python) -m coverage combine --quiet
	@$(python) -m coverage report
	@$(python) -m coverage report --include='$(pure)' --fail-under=100

chaos: .tools ## kill the server 50 times under load on each database and compare the books
	$(python) -m pytest tests/chaos tests/money/test_parallel.py --kills 50 --seeds 20 \
		--timeout 3600 -s

style: .tools ## check style and spelling
	$(python) -m ruff check .
	$(python) -m ruff format --check .
	$(python) -m codespell_lib
	$(python) -m djlint templates --lint --quiet

types: .tools ## check types
	$(python) -m mypy

house: .tools ## check who imports what, and that every dependency is used
	.venv/bin/lint-imports --no-logo
	$(python) -m deptry .

bench: .tools ## measure what the router adds to a request
	$(python) benchmarks/overhead.py

lock: .tools ## write requirements/ from pyproject.toml (UPGRADE=--upgrade for newer versions)
	$(python) -m pip install --quiet --no-deps --require-hashes -r requirements/lock.txt
	$(compile) pyproject.toml -o requirements/run.txt
	$(compile) --no-deps --group starter -o requirements/starter.txt
	$(compile) --group lock -o requirements/lock.txt
	$(compile) pyproject.toml --group test -c requirements/run.txt -o requirements/test.txt

clean: ## remove .venv and everything that the tools left
	rm -rf .venv .venv.lock .agents build dist .coverage .coverage.* .hypothesis .import_linter_cache \
		.mypy_cache .pytest_cache .ruff_cache
	find larouter tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: .tools
.tools:
	@sh requirements/setup.sh test
