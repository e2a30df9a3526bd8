#!/usr/bin/env bash
# Instructions that an application thread executes to record one request, by callgrind: the difference between the
# annotated service and the bare one. The same on every run of the same build.
set -euo pipefail
cd "$(dirname "$0")/.."
if ! command -v valgrind >/dev/null; then
    echo "SKIPPED: valgrind is not installed"
    exit 0
fi
cargo build --quiet --profile bench -p micro-bench --bin serve
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# The main thread's instructions for a number of requests.
instructions() {
    valgrind --tool=callgrind --separate-threads=yes --callgrind-out-file="$out/$1.$2" \
        target/release/serve "$1" "$2" 2>/dev/null
    sed -n 's/^summary: //p' "$out/$1.$2-01"
}

# Between two numbers of requests, so that what comes before the first one does not count.
per_request() {
    echo $(((($(instructions "$1" 3000) - $(instructions "$1" 1000))) / 2000))
}

bare=$(per_request bare)
traced=$(per_request traced)
echo "bare      $bare instructions a request (includes making the request)"
echo "traced    $traced"
echo "recording $((traced - bare))"
