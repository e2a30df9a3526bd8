#!/usr/bin/env bash
# Sends the traces of examples/shop to a real OpenTelemetry Collector, and asserts what its file
# exporter wrote of them.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

need go 'Go tool chain'
need python3 'Python 3'
collector=$(go_binary collector .)
otlp=$(free_ports 1)

export OTLP_HTTP_PORT=$otlp TRACES_FILE=$scratch/traces.jsonl
start "$collector" --config "$here/collector/config.yaml"
poll 30 listening "$otlp"

send_shop_traces "$otlp"
poll 15 python3 -B "$here/collector.py" "$TRACES_FILE"
