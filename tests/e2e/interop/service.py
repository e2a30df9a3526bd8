"""A service traced by Python's OpenTelemetry, as the OTEL_* variables say. Usage: service.py PORT

It takes a JSON array of `{"url": …, "arguments": …}`, and posts to each url its arguments.
"""

import json
import sys
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry import propagate, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter()))
tracer = provider.get_tracer("interop")


def call(url, arguments):
    with tracer.start_as_current_span("call", kind=trace.SpanKind.CLIENT):
        headers = {"content-type": "application/json"}
        propagate.inject(headers)
        request = urllib.request.Request(url, json.dumps(arguments).encode(), headers, method="POST")
        urllib.request.urlopen(request).read()


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        caller = propagate.extract({name.lower(): value for name, value in self.headers.items()})
        with tracer.start_as_current_span("serve", caller, trace.SpanKind.SERVER):
            for onward in json.loads(self.rfile.read(int(self.headers["content-length"]))):
                call(onward["url"], onward["arguments"])
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
