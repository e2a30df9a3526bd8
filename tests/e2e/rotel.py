"""Writes what a rotel sends on, by OTLP over HTTP, to a file that otlp_json.py reads. Usage: rotel.py PORT FILE"""

import base64
import gzip
import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

PORT, FILE = sys.argv[1:]


def otlp_json(request):
    """Protobuf's own JSON, where it differs from OTLP's: that has ids in hexadecimal digits."""
    held = MessageToDict(request, use_integers_for_enums=True)
    for of_resource in held["resourceSpans"]:
        for of_scope in of_resource["scopeSpans"]:
            for span in of_scope["spans"]:
                for key in {"traceId", "spanId", "parentSpanId"} & span.keys():
                    span[key] = base64.b64decode(span[key]).hex()
    return held


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        # It is compressed, even where rotel is told not to.
        body = gzip.decompress(self.rfile.read(int(self.headers["content-length"])))
        with open(FILE, "a", encoding="utf-8") as lines:
            lines.write(json.dumps(otlp_json(ExportTraceServiceRequest.FromString(body))) + "\n")
        self.send_response(200)
        self.send_header("content-type", "application/x-protobuf")
        self.send_header("content-length", "0")
        self.end_headers()


HTTPServer(("127.0.0.1", int(PORT)), Receiver).serve_forever()
