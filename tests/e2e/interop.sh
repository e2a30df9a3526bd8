#!/usr/bin/env bash
# Calls through services traced by OpenTelemetry in Python and in Go, with one traced by biztrace between them, in each format
# of context that all three have, and asserts that each call is one trace.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

need go 'Go tool chain'
need python3 'Python 3'
need curl curl
collector=$(go_binary collector .)
in_go=$(go_binary interop .)
python=$(python_environment interop)/bin/python
(cd "$here/../.." && cargo build -q -p w3c-service)

export HTTP_PORT TRACES_FILE=$scratch/traces.jsonl
read -r HTTP_PORT <<<"$(free_ports 1)"
start "$collector" --config "$here/interop/collector.yaml"
poll 30 listening "$HTTP_PORT"

# serve NAME PORT COMMAND...: runs a service until the next format.
serve() {
    OTEL_SERVICE_NAME=$1 "${@:3}" >>"$scratch/receiver.log" 2>&1 &
    pids+=($!) services+=($!)
    poll 15 listening "$2"
}

# call FIRST SECOND THIRD: each by name; all the spans must arrive.
call() {
    : >"$TRACES_FILE"
    local url='{"url": "http://127.0.0.1:%d/test", "arguments": [%s]}' third second
    printf -v third "$url" "${port[$3]}" ''
    printf -v second "$url" "${port[$2]}" "$third"
    curl -sSf -H 'content-type: application/json' -d "[$second]" "http://127.0.0.1:${port[$1]}/test"
    poll 15 "$python" -B "$here/interop/check.py" "$TRACES_FILE" "$@"
}

export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:$HTTP_PORT OTEL_BSP_SCHEDULE_DELAY=100
for format in tracecontext,baggage b3 b3multi jaeger; do
    echo "--- $format"
    export OTEL_PROPAGATORS=$format
    services=()
    declare -A port
    read -r port[python] port[biztrace] port[go] <<<"$(free_ports 3)"
    serve python "${port[python]}" "$python" -B "$here/interop/service.py" "${port[python]}"
    serve go "${port[go]}" "$in_go" "${port[go]}"
    serve biztrace "${port[biztrace]}" cargo run -q --manifest-path "$here/../../Cargo.toml" -p w3c-service -- --port "${port[biztrace]}"
    call python biztrace go
    call go biztrace python
    kill "${services[@]}"
    wait "${services[@]}" || true
done
