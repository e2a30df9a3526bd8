#!/usr/bin/env bash
# Sends the traces of examples/shop to a real rotel, in every way that it takes OTLP, by variables alone, and asserts what it
# sent on of them.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

need python3 'Python 3'
environment=$(python_environment rotel)
read -r http grpc sink <<<"$(free_ports 3)"
traces=$scratch/traces.jsonl

# try WAY PORT VARIABLE=VALUE...: the traces must arrive whole.
try() {
    echo "--- $1"
    : >"$traces"
    send_shop_traces OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:$2" "${@:3}"
    poll 15 python3 -B "$here/otlp_json.py" rotel "$traces"
}

# It writes no files, so rotel.py does, of what it sends on.
start "$environment/bin/python" -B "$here/rotel.py" "$sink" "$traces"
start "$environment"/lib/python3*/site-packages/rotel/rotel-agent start \
    --otlp-http-endpoint "127.0.0.1:$http" \
    --otlp-grpc-endpoint "127.0.0.1:$grpc" \
    --exporter otlp \
    --otlp-exporter-protocol http \
    --otlp-exporter-endpoint "http://127.0.0.1:$sink"
for port in "$sink" "$http" "$grpc"; do poll 30 listening "$port"; done

gzip=OTEL_EXPORTER_OTLP_COMPRESSION=gzip
protocol=OTEL_EXPORTER_OTLP_PROTOCOL
try 'HTTP, protobuf' "$http"
try 'HTTP, protobuf, gzip' "$http" $gzip
try 'HTTP, JSON' "$http" $protocol=http/json
try 'HTTP, JSON, gzip' "$http" $protocol=http/json $gzip
try 'gRPC' "$grpc" $protocol=grpc
try 'gRPC, gzip' "$grpc" $protocol=grpc $gzip
