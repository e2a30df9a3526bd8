#!/usr/bin/env bash
# Sends the traces of examples/shop to a real Jaeger, and asserts what its API holds of them.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

need go 'Go tool chain'
need python3 'Python 3'
jaeger=$(go_binary jaeger github.com/jaegertracing/jaeger/cmd/all-in-one)
ports=$(free_ports 2)
read -r otlp api <<<"$ports"

# Port 0 for what the test does not talk to: Jaeger would open it all, and on every interface.
# Its sampler is off because it would send spans of its own to whatever listens on 4317.
start env OTEL_TRACES_SAMPLER=always_off "$jaeger" --log-level=warn \
    --collector.otlp.http.host-port="127.0.0.1:$otlp" \
    --query.http-server.host-port="127.0.0.1:$api" \
    --admin.http.host-port=127.0.0.1:0 \
    --collector.grpc-server.host-port=127.0.0.1:0 \
    --collector.http-server.host-port=127.0.0.1:0 \
    --collector.otlp.grpc.host-port=127.0.0.1:0 \
    --http-server.host-port=127.0.0.1:0 \
    --processor.jaeger-binary.server-host-port=127.0.0.1:0 \
    --processor.jaeger-compact.server-host-port=127.0.0.1:0 \
    --processor.zipkin-compact.server-host-port=127.0.0.1:0 \
    --query.grpc-server.host-port=127.0.0.1:0
poll 30 listening "$otlp"
poll 30 listening "$api"

send_shop_traces OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:$otlp"
poll 15 python3 -B "$here/jaeger.py" "http://127.0.0.1:$api"
