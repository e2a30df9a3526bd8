#!/usr/bin/env bash
# Sends the traces of examples/shop to a real OpenTelemetry Collector, in every way that OTLP has, by variables alone, and
# asserts what its file exporter wrote of them.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

need go 'Go tool chain'
need python3 'Python 3'
need openssl 'OpenSSL'
collector=$(go_binary collector .)
read -r http grpc https grpcs <<<"$(free_ports 4)"

# An authority, and what it has signed for the server and for the client.
certify() (
    cd "$scratch"
    new_key=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2)
    openssl req -x509 "${new_key[@]}" -subj /CN=authority -keyout ca.key -out ca.pem
    for name in server client; do
        openssl req -x509 "${new_key[@]}" -subj "/CN=$name" -CA ca.pem -CAkey ca.key -keyout $name.key -out $name.pem \
            -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE
    done
) 2>/dev/null
certify

# try WAY URL VARIABLE=VALUE...: the traces must arrive whole.
try() {
    echo "--- $1"
    : >"$TRACES_FILE"
    send_shop_traces OTEL_EXPORTER_OTLP_ENDPOINT="$2" "${@:3}"
    poll 15 python3 -B "$here/otlp_json.py" 'the Collector' "$TRACES_FILE"
}

export HTTP_PORT=$http GRPC_PORT=$grpc HTTPS_PORT=$https GRPCS_PORT=$grpcs CERTIFICATES=$scratch
export TRACES_FILE=$scratch/traces.jsonl
start "$collector" --config "$here/collector/config.yaml"
poll 30 listening "$grpcs"

mutual=(
    OTEL_EXPORTER_OTLP_CERTIFICATE="$scratch/ca.pem"
    OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE="$scratch/client.pem"
    OTEL_EXPORTER_OTLP_CLIENT_KEY="$scratch/client.key"
)
gzip=OTEL_EXPORTER_OTLP_COMPRESSION=gzip
protocol=OTEL_EXPORTER_OTLP_PROTOCOL
try 'HTTP, protobuf' "http://127.0.0.1:$http"
try 'HTTP, protobuf, gzip' "http://127.0.0.1:$http" $gzip
try 'HTTP, JSON' "http://127.0.0.1:$http" $protocol=http/json
try 'HTTP, JSON, gzip, mutual TLS' "https://127.0.0.1:$https" $protocol=http/json $gzip "${mutual[@]}"
try 'gRPC' "http://127.0.0.1:$grpc" $protocol=grpc
try 'gRPC, gzip, mutual TLS' "https://127.0.0.1:$grpcs" $protocol=grpc $gzip "${mutual[@]}"
