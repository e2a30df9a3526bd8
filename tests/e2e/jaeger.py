"""Asserts what a Jaeger holds of the shop's demo. Usage: jaeger.py URL-OF-THE-QUERY-API"""

import json
import sys
import urllib.request

import shop

# Jaeger keeps a tag's kind beside its value; a JSON number alone would not tell 80.0 from 80.
TYPES = {"string": str, "bool": bool, "int64": int, "float64": float}

# Tags that Jaeger makes of OTLP's fields; they are no attributes of the shop's.
FIELDS = (
    "error",
    "internal.span.format",
    "otel.scope.name",
    "otel.scope.version",
    "otel.status_code",
    "otel.status_description",
    "span.kind",
)


def tags(entries):
    return {tag["key"]: TYPES[tag["type"]](tag["value"]) for tag in entries}


def spans(api):
    with urllib.request.urlopen(f"{api}/api/traces?service=shop&limit=1000", timeout=5) as response:
        traces = json.load(response)["data"]
    return [span(held, trace["processes"]) for trace in traces for held in trace["spans"]]


def span(held, processes):
    process = processes[held["processID"]]
    attributes = tags(held["tags"])
    parents = [ref["spanID"] for ref in held["references"] if ref["refType"] == "CHILD_OF"]
    return shop.Span(
        trace_id=held["traceID"],
        span_id=held["spanID"],
        parent_id=parents[0] if parents else "",
        name=held["operationName"],
        kind=attributes.get("span.kind", "internal"),
        status=attributes.get("otel.status_code", "unset").lower(),
        start=held["startTime"],
        end=held["startTime"] + held["duration"],
        attributes={key: value for key, value in attributes.items() if key not in FIELDS},
        resource={"service.name": process["serviceName"], **tags(process["tags"])},
        remote_parent=None,
    )


shop.report("Jaeger", spans, sys.argv[1])
