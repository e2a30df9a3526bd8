#!/usr/bin/env bash
# Takes the README's picture: an order of examples/shop, as a real Zipkin's page shows it. Usage: picture.sh [FILE]
set -euo pipefail
source "$(dirname "$0")/lib.sh"

need python3 'Python 3'
need chromium Chromium
file=${1:-$here/../../docs/zipkin.png}
port=$(free_ports 1)
start_zipkin "$port"
send_shop_traces OTEL_TRACES_EXPORTER=zipkin OTEL_EXPORTER_ZIPKIN_ENDPOINT="http://127.0.0.1:$port/api/v2/spans"

# Root cannot have the sandbox, and a page of our own needs none.
mkfifo "$scratch/to" "$scratch/from"
start env TMPDIR="$scratch" chromium --headless --no-sandbox --hide-scrollbars --user-data-dir="$scratch/profile" \
    --remote-debugging-pipe 3<>"$scratch/to" 4<>"$scratch/from"
timeout 60 python3 -B "$here/picture.py" "http://127.0.0.1:$port" "$scratch/to" "$scratch/from" "$file"
# It has been told to end, and writes its profile until then.
wait "${pids[-1]}"
