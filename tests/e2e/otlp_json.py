"""Asserts what a receiver wrote of the shop's demo. Usage: otlp_json.py RECEIVER FILE

The file is OTLP/JSON, one `TracesData` a line.
"""

import json
import sys

import shop

KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")
STATUSES = ("unset", "ok", "error")

# The flags of an OTLP span: whether it says where its parent is, and that it is in another process.
HAS_IS_REMOTE, IS_REMOTE = 0x100, 0x200


def value(any_value):
    (kind, held), = any_value.items()
    match kind:
        case "stringValue" | "boolValue":
            return held
        case "intValue":
            return int(held)  # a string, as JSON numbers lose digits past 2^53
        case "doubleValue":
            return float(held)
        case "arrayValue":
            return [value(element) for element in held.get("values", [])]
    raise shop.Unmet(f"an attribute value of kind {kind}")


def attributes(message):
    entries = message.get("attributes", [])
    keys = [entry["key"] for entry in entries]
    shop.expect(len(set(keys)) == len(keys), f"a key is repeated in {keys}")
    return {entry["key"]: value(entry["value"]) for entry in entries}


def spans(path):
    with open(path, encoding="utf-8") as lines:
        return [
            span(held, attributes(of_resource["resource"]))
            for line in lines
            for of_resource in json.loads(line)["resourceSpans"]
            for of_scope in of_resource["scopeSpans"]
            for held in of_scope["spans"]
        ]


def span(held, resource):
    flags = held.get("flags", 0)
    shop.expect(flags & HAS_IS_REMOTE, f"span `{held['name']}` does not say where its parent is")
    return shop.Span(
        trace_id=held["traceId"],
        span_id=held["spanId"],
        parent_id=held.get("parentSpanId", ""),
        name=held["name"],
        kind=KINDS[held["kind"]],
        status=STATUSES[held.get("status", {}).get("code", 0)],
        start=int(held["startTimeUnixNano"]),
        end=int(held["endTimeUnixNano"]),
        attributes=attributes(held),
        resource=resource,
        remote_parent=bool(flags & IS_REMOTE),
    )


shop.report(sys.argv[1], spans, sys.argv[2])
