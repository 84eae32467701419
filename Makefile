# `make test` does everything; `make help` lists the rest.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
CARGO ?= cargo

# CUDA's compilers come as Python packages for Linux, the fake driver is a library of Linux, and rustc's flags for
# libFuzzer were tried on Linux only.
LINUX := $(filter Linux,$(shell uname -s))

# The same cases each time: what fails was changed and not found by chance. Another seed looks for new ones, and so
# does `make fuzz`.
export PROPTEST_RNG_SEED ?= 1

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: test
test: tools lint-rust test-rust $(if $(LINUX),fuzz-smoke) lint-python test-python ## check and test everything
	@echo "make test: all of it passed."

.PHONY: tools
tools: ## say which tools are here, and stop if one is missing
	@command -v $(CARGO) > /dev/null || { echo "Rust is missing. Install it from https://rustup.rs and try again."; exit 1; }
	@command -v $(PYTHON) > /dev/null || { echo "Python 3.10 or newer is missing. On Debian: apt install python3 python3-venv"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo "$$($(PYTHON) --version) is too old, 3.10 or newer is needed."; exit 1; }
	@$(if $(LINUX),command -v c++ > /dev/null || { echo "A C++ compiler is missing. On Debian: apt install g++"; exit 1; })
	@$(PYTHON) -c 'import venv, ensurepip' 2> /dev/null || { echo "Python's venv module is missing. On Debian: apt install python3-venv"; exit 1; }
	@$(CARGO) --version; $(CARGO) clippy --version; $(PYTHON) --version

# A Vulkan driver that computes on the CPU, so that the tests of gollm-wgpu run on every machine.
ICD := $(wildcard /usr/share/vulkan/icd.d/*.json /usr/local/share/vulkan/icd.d/*.json /etc/vulkan/icd.d/*.json)
PACKAGES := mesa-vulkan-drivers libvulkan1
.PHONY: lavapipe
lavapipe: ## install Mesa's software Vulkan driver where no Vulkan driver is found
	@if [ -n "$(ICD)$${VK_ICD_FILENAMES:-}$${VK_DRIVER_FILES:-}" ] || [ "$$(uname)" = Darwin ]; then exit 0; fi; \
	if ! command -v apt-get > /dev/null; then \
		echo "No Vulkan driver was found. Install Mesa's lavapipe (Fedora: mesa-vulkan-drivers, Arch: vulkan-swrast) and try again."; exit 1; fi; \
	if [ "$$(id -u)" = 0 ]; then root=; \
	elif command -v sudo > /dev/null && sudo -n true 2> /dev/null; then root="sudo -n"; \
	else echo "No Vulkan driver was found. Install one and try again: sudo apt-get install $(PACKAGES)"; exit 1; fi; \
	echo "installing $(PACKAGES)"; \
	$$root apt-get install -qq -y $(PACKAGES) > /dev/null || { $$root apt-get update -qq && $$root apt-get install -qq -y $(PACKAGES) > /dev/null; }

# Cargo chooses the features of a dependency for the packages of one command, and builds it anew where another
# command needs others. So the commands below take the whole workspace.
comma := ,
CLI_FEATURES := gollm-cli/cuda,gollm-cli/hub,gollm-cli/wgpu
# What the tests of a crate need beside its default.
TEST_FEATURES := gollm-hub/download$(if $(LINUX),$(comma)gollm-cuda/fake-driver$(comma)gollm-cuda/persistent-decode)
.PHONY: lint-rust
lint-rust: ## formatting, clippy and rustdoc, warnings are errors
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	for features in gollm-cli/cuda gollm-cli/wgpu $(CLI_FEATURES),$(TEST_FEATURES)$(if $(LINUX),$(comma)gollm-fuzz/libfuzzer); do \
		$(CARGO) clippy --workspace --features $$features --all-targets --locked -- -D warnings; done
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --locked

# Prints the folder of libnvrtc.so.N.
NVRTC_FOLDER := $(BIN)/python -c 'import pathlib, sys, nvidia; \
	print(next(file.parent for folder in nvidia.__path__ \
	for file in pathlib.Path(folder).rglob("libnvrtc.so." + sys.argv[1])))'

.PHONY: test-rust
test-rust: lavapipe $(if $(LINUX),cuda-compilers)
test-rust: ## every Rust test, as far as that goes without a GPU, and the binary with every feature
	$(if $(LINUX),GOLLM_NVRTC_12="$$($(NVRTC_FOLDER) 12)" GOLLM_NVRTC_13="$$($(NVRTC_FOLDER) 13)" GOLLM_REQUIRE_NVRTC=1) \
		GOLLM_REQUIRE_WGPU=1 NODEVICE_SELECT=1 \
		$(CARGO) test --workspace --features $(TEST_FEATURES) --locked
	GOLLM_REQUIRE_WGPU=1 NODEVICE_SELECT=1 $(CARGO) test --workspace --features $(CLI_FEATURES) --bin gollm --test cli --locked

FUZZ := crates/gollm-fuzz
FUZZ_TARGETS := $(notdir $(wildcard $(FUZZ)/corpus/*))
# libFuzzer's options: an input over its time or memory is a failure, and so is a crash. Inputs that fail are
# written to target/fuzz-failures; those that reach new code to target/fuzz-corpus.
FUZZ_OPTIONS := -timeout=20 -rss_limit_mb=2048 -max_len=4096 -print_final_stats=1
.PHONY: fuzz-smoke
fuzz-smoke: SECONDS_EACH ?= 6
fuzz-smoke: ## every fuzz target for some seconds, the same inputs each time, on the crates of an ordinary build
	RUSTC_WORKSPACE_WRAPPER=$(CURDIR)/$(FUZZ)/rustc-with-coverage.sh \
		$(CARGO) build --workspace --features $(TEST_FEATURES),gollm-fuzz/libfuzzer --bin fuzz --locked
	@for target in $(FUZZ_TARGETS); do $(FUZZ)/fuzz.sh debug/fuzz $$target -seed=1 -runs=100000 -max_total_time=$(SECONDS_EACH) $(FUZZ_OPTIONS); done

# Everything is compiled for coverage here, dependencies too: minutes once, and better inputs in a long run.
HOST = $(shell rustc -vV | sed -n 's/^host: //p')
.PHONY: fuzz
fuzz: TARGETS ?= $(FUZZ_TARGETS)
fuzz: RUNS ?= 100000000
fuzz: SECONDS_EACH ?= 0
fuzz: ## fuzz for long: make fuzz [TARGETS="gguf …"] [RUNS=100000000] [SECONDS_EACH=3600]
	RUSTFLAGS="$$(tr '\n' ' ' < $(FUZZ)/coverage-flags)" \
		$(CARGO) build -p gollm-fuzz --features libfuzzer --bin fuzz --profile fuzz --target $(HOST) --locked
	@for target in $(TARGETS); do \
		$(FUZZ)/fuzz.sh $(HOST)/fuzz/fuzz $$target -runs=$(RUNS) -max_total_time=$(SECONDS_EACH) $(FUZZ_OPTIONS); done

.PHONY: cuda-compilers
cuda-compilers: $(VENV)/.requirements-cuda ## install NVRTC of CUDA 12 and 13, which needs no GPU

$(VENV)/.requirements-cuda: python/requirements-cuda.txt $(VENV)/.requirements
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -r python/requirements-cuda.txt
	touch $@

.PHONY: python
python: $(VENV)/.requirements ## make .venv with PyTorch, the tools and the gollm module
	$(BIN)/maturin develop --quiet --locked --profile python --manifest-path crates/gollm-py/Cargo.toml

# Without compiling: of 12,000 files most are never imported, and the others are compiled when they are.
$(VENV)/.requirements: python/requirements.txt python/requirements-dev.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -r python/requirements.txt -r python/requirements-dev.txt
	touch $@

.PHONY: lint-python
lint-python: python ## ruff and mypy
	cd python && $(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy .

.PHONY: test-python
test-python: python ## every Python test, parity with Rust included
	@# Builds target/debug/gollm out of what test-rust has left.
	$(CARGO) test --quiet --workspace --features $(TEST_FEATURES) --test cli --no-run --locked
	cd python && $(BIN)/python -m pytest -q
	cd python && $(BIN)/python goldens.py --check

.PHONY: clean
clean: ## remove what was built, .venv included
	$(CARGO) clean
	rm -rf $(VENV)
