#!/usr/bin/env bash
# Sends the traces of examples/shop to a real Zipkin, by variables alone, and asserts what its API holds of them.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

need python3 'Python 3'
port=$(free_ports 1)
start_zipkin "$port"

send_shop_traces OTEL_TRACES_EXPORTER=zipkin OTEL_EXPORTER_ZIPKIN_ENDPOINT="http://127.0.0.1:$port/api/v2/spans"
poll 15 python3 -B "$here/zipkin.py" "http://127.0.0.1:$port"
