"""A stand-in for an OpenTelemetry collector, and what it was told."""

import gzip
import threading

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from servers import Backend, read_all, text

KINDS = {
    "/v1/metrics": ExportMetricsServiceRequest,
    "/v1/traces": ExportTraceServiceRequest,
    "/v1/logs": ExportLogsServiceRequest,
}


class Collector:
    """Takes what is sent over OTLP; refuses the first calls with the given statuses."""

    def __init__(self, refusals=(), tls=None):
        self.refusals = list(refusals)
        self.lock = threading.Lock()
        self.requests = []
        self.headers = []
        self.backend = Backend(self.answer, tls)

    def answer(self, handler):
        body = read_all(handler)
        if handler.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        with self.lock:
            self.headers.append(dict(handler.headers))
            if self.refusals:
                status = self.refusals.pop(0)
                return text(handler, "", status, Retry_After="1")
            message = KINDS[handler.path]()
            message.ParseFromString(body)
            self.requests.append(message)
        text(handler, "")

    def __enter__(self):
        self.backend.__enter__()
        return self

    def __exit__(self, *_):
        self.backend.__exit__()

    def of(self, kind):
        with self.lock:
            return [it for it in self.requests if isinstance(it, kind)]

    def spans(self):
        return [
            span
            for request in self.of(ExportTraceServiceRequest)
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def records(self):
        return [
            record
            for request in self.of(ExportLogsServiceRequest)
            for resource in request.resource_logs
            for scope in resource.scope_logs
            for record in scope.log_records
        ]

    def metrics(self):
        """The last of each metric, by name and scope."""
        return {
            (scope.scope.name, metric.name): metric
            for request in self.of(ExportMetricsServiceRequest)
            for resource in request.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }


def attributes(item):
    """Names and values."""
    return {it.key: getattr(it.value, it.value.WhichOneof("value")) for it in item.attributes}
