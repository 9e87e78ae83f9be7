# The two commands of the README are `make demo` and `make test`.
.PHONY: demo test bench compare-one fuzz interop-setup setup build lint format clean

RELEASE := swift build -c release --static-swift-stdlib

setup:
	@scripts/setup

build: setup
	$(RELEASE) --product covey

demo: setup
	$(RELEASE) --product covey
	$(RELEASE) --product covey-outsider
	@scripts/demo "$$($(RELEASE) --show-bin-path)"

test: setup lint
	swift build --build-tests
	swift test --skip-build
	scripts/compare-one
	$(RELEASE) --product covey-sim
	COVEY_SKIP_BUILD=1 scripts/test-determinism
	scripts/test-demo
	scripts/test-namespaces
	scripts/test-report
	scripts/test-simulations
	scripts/test-examples
	scripts/test-models

bench: setup
	$(RELEASE) --product covey-bench
	@"$$($(RELEASE) --show-bin-path)/covey-bench"

# Skips, and says so, when the runs of The ONE are not beside the checkout.
compare-one: setup
	@scripts/compare-one

# The one step that asks PyPI for something; without it the tests against peers in Python skip.
interop-setup:
	@scripts/interop-setup

# One minute a reader: `scripts/fuzz SECONDS [READER...]` chooses.
fuzz: setup
	@scripts/fuzz

lint:
	swift format lint --recursive --strict Package.swift Sources Tests

format:
	swift format --recursive --in-place Package.swift Sources Tests

clean:
	swift package clean
