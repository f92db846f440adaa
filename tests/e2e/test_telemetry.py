"""Metrics, traces and logs: on the admin listener, and at an OpenTelemetry collector."""

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as prometheus

from collector import Collector, attributes
from http_calls import eventually, plain
from servers import Backend, api, gateway, policies, text

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

EMIT = """<emit-metric name="Total Calls" namespace="My Shop" value="2.5">
    <dimension name="API ID" /><dimension name="Quote" value='a"b\\c' /></emit-metric>"""


def test_the_text_is_what_prometheus_reads():
    with Backend(lambda it: text(it, "12345")) as backend:
        with gateway({"p.xml": policies(EMIT)}, apis={"a": api(backend, policy="p.xml")}) as it:
            for _ in range(3):
                assert plain(it.at.gateway, path="/orders")[0] == 200
            assert plain(it.at.gateway, "GET", "/metrics")[2] == b"12345", "never on this listener"
            status, headers, body = plain(it.at.admin, path="/metrics")
            assert status == 200 and headers["content-type"].startswith("text/plain; version=0.0.4")
            families = {family.name: family for family in prometheus(body.decode())}
            duration = families["http_server_request_duration_seconds"]
            assert duration.type == "histogram" and duration.documentation
            counts = [s for s in duration.samples if s.name.endswith("_count")]
            assert [it.value for it in counts] == [4]
            assert counts[0].labels["portcullis_api"] == "a"
            assert counts[0].labels["portcullis_status_class"] == "2xx"
            buckets = [s.value for s in duration.samples if s.name.endswith("_bucket")]
            assert buckets == sorted(buckets) and buckets[-1] == 4
            [sent] = [
                s for s in families["portcullis_response_body_bytes"].samples if s.labels
            ]
            assert sent.value == 20
            [summed] = [
                s for s in families["My_Shop_Total_Calls"].samples if s.name.endswith("_sum")
            ]
            assert summed.labels == {"API_ID": "a", "Quote": 'a"b\\c'} and summed.value == 10
            accept = {"accept": "application/openmetrics-text; version=1.0.0"}
            _, headers, body = plain(it.at.admin, path="/metrics", headers=accept)
            assert headers["content-type"].startswith("application/openmetrics-text")
            families = {family.name: family for family in openmetrics(body.decode())}
            assert families["http_server_request_duration_seconds"].unit == "seconds"
            assert families["portcullis_requests"].type == "counter"


def test_a_collector_gets_metrics_spans_and_logs():
    seen = []

    def answer(handler):
        seen.append(handler.headers.get("traceparent"))
        text(handler, "hello")

    with Collector(refusals=[503, 503]) as collector, Backend(answer) as backend:
        telemetry = {
            "service-name": "edge",
            "resource": {"deployment.environment.name": "test"},
            "otlp": {
                "endpoint": collector.backend.url,
                "headers": {"api-key": {"env": "COLLECTOR_KEY"}},
                "compression": "gzip",
                "interval": "500ms",
            },
        }
        with gateway(
            {"p.xml": policies(EMIT)},
            env={"COLLECTOR_KEY": "s3cret"},
            apis={"a": api(backend, policy="p.xml")},
            telemetry=telemetry,
        ) as it:
            headers = {"traceparent": PARENT, "user-agent": "me"}
            path = "/orders?api-key=hidden"
            assert plain(it.at.gateway, path=path, headers=headers)[0] == 200
            assert eventually(lambda: len(collector.spans()) == 2)
            assert eventually(lambda: collector.records())
            assert eventually(lambda: ("My Shop", "Total Calls") in collector.metrics())

            server, client = sorted(collector.spans(), key=lambda it: it.kind)
            assert server.trace_id.hex() == client.trace_id.hex() == PARENT[3:35]
            assert server.parent_span_id.hex() == PARENT[36:52]
            assert client.parent_span_id == server.span_id
            assert seen == [f"00-{PARENT[3:35]}-{client.span_id.hex()}-01"]
            assert (server.kind, client.kind) == (2, 3)
            assert server.end_time_unix_nano >= client.end_time_unix_nano
            found = attributes(server)
            assert found["http.response.status_code"] == 200 and found["portcullis.api"] == "a"
            assert found["url.path"] == "/orders" and found["user_agent.original"] == "me"
            assert attributes(client)["url.full"].endswith("/orders?api-key=***")

            [record] = collector.records()
            found = attributes(record)
            assert record.event_name == "GatewayLogs" and record.trace_id == server.trace_id
            assert found["ResponseCode"] == 200 and found["ApiId"] == "a"
            assert found["IsRequestSuccess"] is True

            metrics = collector.metrics()
            point = metrics["My Shop", "Total Calls"].histogram.data_points[0]
            assert (point.count, point.sum) == (1, 2.5)
            assert attributes(point)["API ID"] == "a"
            duration = metrics["portcullis", "http.server.request.duration"]
            assert duration.unit == "s"
            [point] = duration.histogram.data_points
            assert point.count == 1 and len(point.bucket_counts) == len(point.explicit_bounds) + 1
            assert metrics["portcullis", "portcullis.requests"].sum.is_monotonic

            resource = collector.of(ExportTraceServiceRequest)[0].resource_spans[0].resource
            assert attributes(resource)["service.name"] == "edge"
            assert attributes(resource)["deployment.environment.name"] == "test"
            assert all(it["api-key"] == "s3cret" for it in collector.headers)
            assert all("hidden" not in str(it) for it in collector.requests)
            assert "s3cret" not in it.text() and "s3cret" not in it.output()


def test_the_usual_variables_name_the_collector():
    with Collector() as collector, Backend(lambda it: text(it)) as backend:
        env = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.backend.url,
            "OTEL_METRICS_EXPORTER": "none",
            "OTEL_TRACES_SAMPLER": "always_off",
            "OTEL_SERVICE_NAME": "named",
        }
        with gateway(env=env, apis={"a": api(backend)}) as it:
            assert plain(it.at.gateway, path="/orders")[0] == 200
            assert eventually(lambda: collector.records())
            resource = collector.of(ExportLogsServiceRequest)[0].resource_logs[0].resource
            assert attributes(resource)["service.name"] == "named"
            assert not collector.spans() and not collector.metrics()


def test_a_collector_that_is_away_holds_nobody_up():
    env = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}
    with Backend(lambda it: text(it)) as backend, gateway(env=env, apis={"a": api(backend)}) as it:
        for _ in range(20):
            assert plain(it.at.gateway, path="/orders")[0] == 200

        def failures():
            body = plain(it.at.admin, path="/metrics")[2].decode()
            return 'portcullis_otlp_failures_total{portcullis_signal="logs"}' in body

        assert eventually(failures)


def test_a_protocol_that_is_not_there_is_refused():
    try:
        with gateway(env={"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}):
            raise RuntimeError("it started")
    except AssertionError as error:
        assert "http/protobuf" in str(error)
