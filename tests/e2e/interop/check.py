"""Asserts that a call went through services as one trace. Usage: check.py FILE SERVICE...

The file is OTLP/JSON, one `TracesData` a line. Each service is below a CLIENT span of the one before it.
"""

import json
import sys

SERVER, CLIENT = 2, 3


def spans(path):
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            for resource in json.loads(line)["resourceSpans"]:
                attributes = resource["resource"]["attributes"]
                service = next(it["value"]["stringValue"] for it in attributes if it["key"] == "service.name")
                for scope in resource["scopeSpans"]:
                    for span in scope["spans"]:
                        yield service, span


def ancestors(span, by_id):
    while parent := span.get("parentSpanId"):
        span = by_id[parent][1]
        yield span


path, *services = sys.argv[1:]
found = list(spans(path))
by_id = {span["spanId"]: (service, span) for service, span in found}
servers = {service: span for service, span in found if span["kind"] == SERVER}
assert sorted(servers) == sorted(services), f"served by {sorted(servers)}"
assert len({span["traceId"] for _, span in found}) == 1, f"more than one trace: {found}"
assert not servers[services[0]].get("parentSpanId"), "the first service has a caller"
for caller, callee in zip(services, services[1:]):
    service, parent = by_id[servers[callee]["parentSpanId"]]
    assert (service, parent["kind"]) == (caller, CLIENT), f"{callee} is below {service}'s {parent['name']}"
    assert servers[caller] in ancestors(parent, by_id), f"{caller}'s call is not below what it serves"
print(" → ".join(services), f"one trace, {len(found)} spans")
