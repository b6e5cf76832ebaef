# The newcomer's front door; CMakeLists.txt and CMakePresets.json are the build itself.
PREFIX ?= /usr/local
# Where the provider goes. Empty: OpenSSL's own modules folder for a system prefix, else PREFIX/lib/ossl-modules.
MODULESDIR ?=
# The same for the engine: OpenSSL's own engines folder, or PREFIX/lib/engines-3.
ENGINESDIR ?=
STAGES ?=
JOBS ?= $(shell nproc)
export JOBS

.PHONY: help demo build test bench install format tidy clean
.DEFAULT_GOAL := help

help: ## This list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: ## Build, then serve TLS with nginx without and with Octavo, under load (four minutes)
	@scripts/bootstrap demo
	@scripts/build release
	@scripts/demo

build: ## Build under build/release, usable without installing
	@scripts/bootstrap build
	@scripts/build release

test: ## Every check and test; STAGES="release asan" for some of: checks release asan ct tsan fuzz
	@scripts/bootstrap test
	@scripts/test $(STAGES)

bench: ## Measure every operation and the jobs against OpenSSL
	@scripts/bootstrap bench
	@scripts/build release
	build/release/bin/octavo speed all --layer kernel
	build/release/bin/octavo speed --layer api,provider
	build/release/bin/octavo speed rsa2048-private p256-sign x25519-derive --count
	build/release/bin/octavo-job-bench

install: ## Install; PREFIX (/usr/local), DESTDIR, MODULESDIR, ENGINESDIR (see README.md)
	@scripts/bootstrap build
	@scripts/build release -DCMAKE_INSTALL_PREFIX="$(PREFIX)" -DOCTAVO_MODULES_DIR="$(MODULESDIR)" -DOCTAVO_ENGINES_DIR="$(ENGINESDIR)"
	@cmake --install build/release
	@if [ -z "$(DESTDIR)" ] && [ "$$(id -u)" -eq 0 ]; then ldconfig; fi

format: ## Rewrite the sources as .clang-format says
	@scripts/bootstrap format
	@scripts/check-format --fix

tidy: ## clang-tidy over the sources
	@scripts/bootstrap tidy
	@scripts/build release
	@git ls-files -z 'src/*.cc' 'tools/*.cc' | xargs -0 -n 1 -P "$(JOBS)" clang-tidy-14 --quiet -p build/release

clean: ## Remove everything that was built
	rm -rf build
