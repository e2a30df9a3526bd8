"""What a receiver must hold after the shop's demo, whatever form it keeps spans in.

jaeger.py, zipkin.py and otlp_json.py turn what their receiver holds into `Span`s and pass them to `check`.
"""

import sys
from collections import Counter, defaultdict
from dataclasses import dataclass


@dataclass
class Span:
    trace_id: str
    span_id: str
    parent_id: str  # empty for a root
    name: str
    kind: str  # "server", "client", "internal", …
    status: str  # "unset", "ok" or "error"
    start: int  # start and end share the receiver's unit
    end: int
    attributes: dict  # values have the Python type of the kind that the receiver says they are of
    resource: dict
    remote_parent: bool | None  # None: this receiver does not keep it

    def __str__(self):
        return f"{self.kind} span `{self.name}` {self.span_id} of trace {self.trace_id}"


# Of every SERVER span that sent a response.
SERVER = {
    "http.request.method": str,
    "http.response.status_code": int,
    "http.route": str,
    "server.address": str,
    "server.port": int,
    "url.path": str,
    "url.scheme": str,
}

# Of an accepted order, beside those.
ORDER = {
    "order.id": (int, str),
    "order.amount": float,
    "order.currency": str,
    "user.tier": str,
}


class Unmet(AssertionError):
    """An expectation that what the receiver holds does not meet."""


def expect(condition, message):
    if not condition:
        raise Unmet(message)


def check(spans):
    """Asserts the whole picture; returns lines that say what was verified."""
    expect(spans, "the receiver holds no spans")
    traces = check_structure(spans)
    resource = check_resource(spans)
    order = check_order(spans)
    check_declined(spans)
    check_crash(spans)
    kinds = check_values(spans)
    return [
        f"{len(spans)} spans in {len(traces)} traces, each with one root, valid ids and every parent present",
        "resource: " + ", ".join(f"{key}={resource[key]}" for key in sorted(resource)),
        "attribute values: " + ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())),
        "an order across both services: " + " → ".join(f"{span.kind} {span.name}" for span in order),
        "a declined payment: 402, status unset",
        "a crash: status error, error.type=panic",
    ]


def check_structure(spans):
    by_id = {span.span_id: span for span in spans}
    expect(len(by_id) == len(spans), "two spans share an id")
    traces = defaultdict(list)
    for span in spans:
        expect(is_id(span.trace_id, 32) and is_id(span.span_id, 16), f"{span}: malformed id")
        expect(span.start <= span.end, f"{span} ends before it starts")
        traces[span.trace_id].append(span)
        if span.parent_id:
            parent = by_id.get(span.parent_id)
            expect(parent, f"{span}: its parent {span.parent_id} is missing")
            expect(parent.trace_id == span.trace_id, f"{span}: its parent is in another trace, {parent}")
    for trace_id, members in traces.items():
        roots = [span.name for span in members if not span.parent_id]
        expect(len(roots) == 1, f"trace {trace_id} has the roots {roots}")
    return traces


def is_id(text, digits):
    return len(text) == digits and set(text) <= set("0123456789abcdef") and set(text) != {"0"}


def check_resource(spans):
    first = spans[0].resource
    for span in spans:
        expect(span.resource == first, f"{span}: its resource {span.resource} differs from {first}")
    for key, value in {
        "service.name": "shop",
        "telemetry.sdk.name": "biztrace",
        "telemetry.sdk.language": "rust",
    }.items():
        expect(first.get(key) == value, f"resource {key} is {first.get(key)!r}, not {value!r}")
    for key in ("service.version", "telemetry.sdk.version"):
        expect(first.get(key), f"resource {key} is missing")
    return first


def check_values(spans):
    kinds = Counter()
    for span in spans:
        for key, value in span.attributes.items():
            expect(value not in ("true", "false"), f"{span}: {key} is the string {value!r}, not a bool")
            kinds[type(value).__name__] += 1
    for kind in ("str", "int", "float", "bool"):
        expect(kinds[kind], f"no attribute value is a {kind}")
    return kinds


def check_types(span, types):
    for key, wanted in types.items():
        expect(key in span.attributes, f"{span}: {key} is missing")
        value = span.attributes[key]
        # A bool is an int to Python's isinstance, and must not pass as one.
        same = isinstance(value, wanted) and not isinstance(value, bool)
        expect(same, f"{span}: {key} is {value!r}, of type {type(value).__name__}")


def check_order(spans):
    """One accepted order, from the storefront's request down to the inventory's database."""
    order = server_span(spans, "POST /orders", 201)
    check_types(order, SERVER | ORDER)
    expect(order.attributes["http.request.method"] == "POST", f"{order}: wrong method")
    expect(order.attributes["http.route"] == "/orders", f"{order}: wrong route")

    call = child(spans, order, "client", "POST /stock/{sku}/reserve")
    reservation = child(spans, call, "server", "POST /stock/{sku}/reserve")
    check_types(reservation, SERVER)
    tenants = order.attributes["tenant.id"], reservation.attributes["tenant.id"]
    expect(tenants == ("berlin", "berlin"), f"{reservation} is not of the storefront's tenant: {tenants}")
    ports = order.attributes["server.port"], reservation.attributes["server.port"]
    expect(ports[0] != ports[1], f"{reservation} was served by the storefront's port {ports[0]}")

    query = next(
        (
            span
            for span in descendants(spans, reservation)
            if span.attributes.get("db.system.name") == "sqlite" and span.kind in ("client", "internal")
        ),
        None,
    )
    expect(query, f"{reservation} has no sqlite query below it")

    path = [order, call, reservation, query]
    for span in path:
        expect(span.status != "error", f"{span}: status error")
    for span, remote in (order, False), (call, False), (reservation, True), (query, False):
        seen = span.remote_parent
        expect(seen in (None, remote), f"{span}: remote parent is {seen}, not {remote}")
    return path


def check_declined(spans):
    declined = server_span(spans, "POST /orders", 402)
    check_types(declined, SERVER)
    expect(declined.status == "unset", f"{declined}: status {declined.status}")


def check_crash(spans):
    crash = server_span(spans, "GET /crash", None)
    expect(crash.status == "error", f"{crash}: status {crash.status}")
    cause = crash.attributes.get("error.type")
    expect(cause == "panic", f"{crash}: error.type is {cause!r}")


def server_span(spans, name, code):
    """A root SERVER span by name and response code; `None`: no response was sent."""
    named = [span for span in spans if span.kind == "server" and span.name == name and not span.parent_id]
    for span in named:
        if span.attributes.get("http.response.status_code") == code:
            return span
    seen = [span.attributes.get("http.response.status_code") for span in named]
    raise Unmet(f"no root SERVER span `{name}` with status code {code!r}; there are {seen}")


def child(spans, parent, kind, name):
    children = [span for span in spans if span.parent_id == parent.span_id]
    for span in children:
        if (span.kind, span.name) == (kind, name):
            return span
    raise Unmet(f"{parent} has no {kind} child `{name}`, only {[f'{c.kind} {c.name}' for c in children]}")


def descendants(spans, ancestor):
    for span in spans:
        if span.parent_id == ancestor.span_id:
            yield span
            yield from descendants(spans, span)


def report(receiver, read, source):
    """Checks what `read` finds at `source`, prints the outcome and exits accordingly."""
    try:
        verified = check(read(source))
    except Unmet as unmet:
        sys.exit(f"FAILED: {receiver}: {unmet}")
    print(f"OK: {receiver} holds the shop's traces")
    for line in verified:
        print(f"  {line}")
