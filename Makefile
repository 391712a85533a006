.DEFAULT_GOAL := help
.PHONY: all quick help check comprehensive format lint manual build test explore bench bench-instructions bench-metrics \
  fidelity docs demo gen lock clean

all: ## Set up, build, and run every check and test
	./build-and-test.sh

quick: ## Lint, build and the fast tests
	./build-and-test.sh --quick

check: all ## What to run before handing a change in

comprehensive: ## The same, then the coverage of Rust, and the Python tests on every other Python here
	scripts/run_comprehensive_tests.sh

format: ## Format Rust, Python and TOML in place
	scripts/format.sh

lint: ## Check format, lints, types, rooms and spelling
	scripts/lint.sh

manual: ## Type the commands that README and docs tell a developer to type
	scripts/check_manual_commands.sh

build: ## Build the Python extension and the command into .venv
	scripts/bootstrap.sh && scripts/build.sh

test: ## Run the tests on what is built
	./build-and-test.sh --skip-build

explore: ## Look for failures with random examples, ten times as many as the tests take
	scripts/bootstrap.sh && scripts/explore.sh

bench: ## Measure, as ratios to a peer in the same run
	scripts/bootstrap.sh && scripts/bench.sh

bench-instructions: ## Count the core's instructions, compare with the count that is kept
	scripts/bootstrap.sh && scripts/instructions.sh

bench-metrics: ## Measure what observing takes of a small snapshot
	scripts/bootstrap.sh && scripts/bench_metrics.sh

fidelity: ## Compare what comes back with other ways to save, into docs/fidelity.md
	scripts/bootstrap.sh && .venv/bin/python tests/fidelity/matrix.py

docs: ## Build the documentation into site/
	scripts/bootstrap.sh && scripts/docs.sh

demo: ## Snapshot an agent in one process, continue it in another
	scripts/bootstrap.sh && scripts/build.sh && scripts/demo.sh

gen: ## Make the generated files again
	scripts/bootstrap.sh && scripts/gen.sh

lock: ## Take the newest versions of what pip installs
	scripts/lock.sh

clean: ## Remove what was built
	rm -rf target .venv site demo-data

help: ## Show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/:/' | column -t -s:
