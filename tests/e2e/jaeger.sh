#!/usr/bin/env bash
# Sends the traces of examples/shop to a real Jaeger, asserts what its API holds of them, and samples as it says.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

need go 'Go tool chain'
need python3 'Python 3'
jaeger=$(go_binary jaeger github.com/jaegertracing/jaeger/cmd/all-in-one)
ports=$(free_ports 3)
read -r otlp api strategies <<<"$ports"

# Port 0 for what the test does not talk to: Jaeger would open it all, and on every interface.
# Its sampler is off because it would send spans of its own to whatever listens on 4317.
start env OTEL_TRACES_SAMPLER=always_off "$jaeger" --log-level=warn \
    --collector.otlp.http.host-port="127.0.0.1:$otlp" \
    --query.http-server.host-port="127.0.0.1:$api" \
    --admin.http.host-port=127.0.0.1:0 \
    --collector.grpc-server.host-port="127.0.0.1:$strategies" \
    --sampling.strategies-file="$here/jaeger/strategies.json" \
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

poll 30 listening "$strategies"
JAEGER_STRATEGIES="http://127.0.0.1:$strategies" cargo test -q -p faults --test strategies a_real_jaeger
echo "jaeger_remote: a share, a rate, a share for each operation and the default, as Jaeger says"
