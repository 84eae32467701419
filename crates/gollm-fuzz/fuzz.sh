#!/usr/bin/env bash
# fuzz.sh PROGRAM TARGET OPTION...: runs one target from its corpus, what was found earlier included, and says on
# one line how far it came. PROGRAM lies under the target directory.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
out="${CARGO_TARGET_DIR:-$here/../../target}"
program="$out/$1" name="$2"
shift 2
found="$out/fuzz-corpus/$name" failures="$out/fuzz-failures/$name" log="$out/fuzz-$name.log"
mkdir -p "$found" "$failures"
dictionary="$here/dictionaries/$name"
if [ -f "$dictionary" ]; then set -- "$@" -dict="$dictionary"; fi
# Models are written and read again: in memory where that is to be had.
if [ -w /dev/shm ]; then export TMPDIR=/dev/shm; fi
if ! GOLLM_FUZZ_TARGET="$name" "$program" "$@" -artifact_prefix="$failures/" \
    "$found" "$here/corpus/$name" > "$log" 2>&1; then
    grep -v '^#' "$log" | tail -n 40
    echo "fuzz: $name failed; its input is in $failures, the whole log in $log"
    exit 1
fi
runs="$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")"
speed="$(sed -n 's/^stat::average_exec_per_sec: *//p' "$log")"
edges="$(grep -o ' cov: [0-9]*' "$log" | tail -n 1 | tr -dc 0-9)"
echo "fuzz: $name: $runs runs, $speed a second, $edges edges, no failure"
