"""Asserts what a Zipkin holds of the shop's demo. Usage: zipkin.py URL-OF-THE-SERVER"""

import json
import sys
import urllib.request

import shop

# Tags that the exporter makes of OTLP's fields; they are no attributes of the shop's.
FIELDS = ("error", "otel.scope.name", "otel.scope.version", "otel.status_code")

# Zipkin has no resource: what the exporter knows of it is on every span.
RESOURCE = ("service.version", "telemetry.sdk.language", "telemetry.sdk.name", "telemetry.sdk.version")


def value(text):
    """What a tag reads as. Zipkin has text alone, so a string of digits counts as a number here."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def spans(server):
    with urllib.request.urlopen(f"{server}/api/v2/traces?serviceName=shop&limit=1000", timeout=5) as response:
        return [span(held) for trace in json.load(response) for held in trace]


def span(held):
    tags = held["tags"]
    kind = held.get("kind", "internal").lower()
    name = held["name"]
    if "http.request.method" in tags:
        # Zipkin keeps names in lower case; the method, which these begin with, is the one that the shop has in capitals.
        method, space, route = name.partition(" ")
        name = method.upper() + space + route
    status = tags.get("otel.status_code", "unset").lower()
    # Its page goes by this tag alone.
    shop.expect(("error" in tags) == (status == "error"), f"span `{name}` has status {status} and the tags {tags}")
    return shop.Span(
        trace_id=held["traceId"],
        span_id=held["id"],
        parent_id=held.get("parentId", ""),
        name=name,
        kind=kind,
        status=status,
        start=held["timestamp"],
        end=held["timestamp"] + held["duration"],
        attributes={key: value(text) for key, text in tags.items() if key not in FIELDS + RESOURCE},
        resource={"service.name": held["localEndpoint"]["serviceName"], **{key: tags.get(key) for key in RESOURCE}},
        remote_parent=None,
    )


shop.report("Zipkin", spans, sys.argv[1])
