# `make` lists the targets. CI runs exactly `make test`.
SHELL := /bin/bash
.DEFAULT_GOAL := help

# One build serves everything: what is tested is what ships. (`swift test` alone would build all of it a second time, with
# testability on; so the tests are built by `swift build`, and the index store is on because tests are found through it.)
BUILD := swift build --configuration release --enable-index-store
BINARY := .build/release/bashupload
TEST := scripts/swift-test
# Two runs that together are all tests: what the first takes is what the second leaves out.
# Searches of state spaces take all the processor; beside tests that wait for a network they would look like a dead one.
PURE_TESTS := ^(UploadCore|Ops|Drift|Architecture)Tests\.
PYTHON := .build/test-venv/bin/python

.PHONY: help deps test-deps build run dev test test-unit test-integration test-bucket test-live fuzz lint format golden bench image clean

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

deps: ## install what the build needs and is missing
	@scripts/install-deps build

test-deps: deps
	@scripts/install-deps test

build: deps ## build the executable
	$(BUILD) --product bashupload

run: build ## serve on 127.0.0.1:3000 with local storage
	@scripts/run $(BINARY)

test: lint test-unit test-integration test-bucket ## everything that CI runs

test-unit: test-deps ## unit tests of every module
	$(BUILD) --build-tests
	$(TEST) --filter '$(PURE_TESTS)'
	Tests/s3-server-rgw run $(TEST) --skip '$(PURE_TESTS)'

test-integration: test-deps build ## the running binary against curl, sockets, kill -9, full disks
	BASHUPLOAD=$(abspath $(BINARY)) $(PYTHON) -m pytest -q Tests/Integration --ignore Tests/Integration/bucket

test-bucket: test-deps build ## nodes over one bucket: races, chaos, faults, memory, costs
	$(BUILD) --product fake-s3
	BASHUPLOAD=$(abspath $(BINARY)) $(PYTHON) -m pytest -q Tests/Integration/bucket

test-live: test-deps build ## deploy on a real Kubernetes, which it compiles the first time (20 minutes); root, Debian 12
	@scripts/install-deps live
	$(BUILD) --product fake-s3
	BASHUPLOAD=$(abspath $(BINARY)) Tests/kubernetes-server run $(PYTHON) -m pytest -q Tests/Integration/deploy/test_deploy.py
	BASHUPLOAD=$(abspath $(BINARY)) Tests/kubernetes-node run $(PYTHON) -m pytest -q Tests/Integration/deploy/story_of_a_node.py

lint: deps ## swift format, strict
	swift format lint --strict --recursive --parallel Sources Tests Package.swift

format: deps ## rewrite the sources in the one style
	swift format --in-place --recursive --parallel Sources Tests Package.swift

bench: build ## compare with nginx and with a bucket, side by side in one run
	@scripts/install-deps bench
	Benchmarks/compare-with-nginx
	Benchmarks/compare-with-bucket
	Benchmarks/cleanup-at-scale

golden: test-deps ## write the golden overlays anew; the difference is the review
	scripts/embed-kubernetes
	$(BUILD) --build-tests
	UPDATE_GOLDEN=1 swift test --configuration release --enable-index-store --skip-build --filter "OpsTests.(RenderTests|NodeTreeTests)"

fuzz: build ## libFuzzer over the parsers for FUZZ_SECONDS (600)
	scripts/fuzz

image: ## build a container image (needs docker or podman)
	@scripts/build-image

clean: ## remove what was built
	rm -rf .build
