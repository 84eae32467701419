#!/bin/sh
# Cargo runs this in place of rustc for the crates of the workspace (RUSTC_WORKSPACE_WRAPPER), so that ours tell
# libFuzzer what was covered, and everything they depend on is the same as in an ordinary build.
exec "$@" $(cat "$(dirname "$0")/coverage-flags")
