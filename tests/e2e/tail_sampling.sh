#!/usr/bin/env bash
# Samples the same traces by biztrace's policies and by a real Collector's processor `tail_sampling`, and compares what they keep, and
# by which thresholds.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

need go 'Go tool chain'
need python3 'Python 3'
collector=$(go_binary collector .)
recording() {
    CARGO_TARGET_DIR=$cache/recording cargo run -q --manifest-path "$here/tail_sampling/Cargo.toml" --locked -- "$@"
}

port=$(free_ports 1)
recording config "$port" "$scratch" >"$scratch/config.yaml"
start "$collector" --config "$scratch/config.yaml" --feature-gates=processor.tailsamplingprocessor.usetracestate
poll 30 listening "$port"
recording send "$port" "$scratch"
poll 60 python3 -B "$here/tail_sampling/compare.py" "$scratch"
