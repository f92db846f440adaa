"""Metrics and spans of calls of models, at a collector and on the admin listener; the collector behind
TLS; the trace in the calls that policies make."""

import json
import ssl
import subprocess
import types

import openai
import pytest
from prometheus_client.parser import text_string_to_metric_families as prometheus

from collector import Collector, attributes
from http_calls import control, eventually, fault, plain
from servers import Backend, api, chunk, gateway, policies, read_all, text

METRIC = '<llm-emit-token-metric><dimension name="API ID" /></llm-emit-token-metric>'
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def otlp(collector, *signals):
    return {"otlp": {"endpoint": collector.backend.url, "interval": "300ms", "signals": signals}}


def client_of(process, dev):
    url = f"{process.at.gateway}/openai/v1/"
    return openai.OpenAI(base_url=url, api_key=dev.azure_openai_key, max_retries=0)


def say(client, words, **more):
    messages = [{"role": "user", "content": words}]
    return client.chat.completions.create(model="gpt-4o", messages=messages, **more)


def test_a_collector_gets_span_and_metrics_of_a_streamed_call(dev):
    models = types.SimpleNamespace(url=dev.azure_openai)
    with Collector() as collector:
        with gateway(
            {"p.xml": policies(METRIC)},
            apis={"models": api(models, policy="p.xml")},
            telemetry=otlp(collector, "metrics", "traces"),
        ) as process:
            client = client_of(process, dev)
            headers = {"traceparent": PARENT}
            options = {"max_tokens": 50, "temperature": 0.5, "seed": 7, "stop": ["END"]}
            chunks = list(
                say(
                    client,
                    "one two three four",
                    stream=True,
                    stream_options={"include_usage": True},
                    extra_headers=headers,
                    **options,
                )
            )
            usage = chunks[-1].usage
            named = lambda name: [it for it in collector.spans() if it.name == name]
            assert eventually(lambda: named("chat gpt-4o") and named("POST"))
            [span], [http] = named("chat gpt-4o"), named("POST")
            [server] = [it for it in collector.spans() if it.kind == 2]
            assert span.trace_id.hex() == PARENT[3:35] and span.kind == 3
            assert span.parent_span_id == server.span_id == http.parent_span_id
            found = attributes(span)
            expected = {
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": "azure.ai.openai",
                "gen_ai.request.model": "gpt-4o",
                "gen_ai.response.model": chunks[-1].model,
                "gen_ai.response.id": chunks[-1].id,
                "gen_ai.request.stream": True,
                "gen_ai.request.max_tokens": 50,
                "gen_ai.request.temperature": 0.5,
                "gen_ai.request.seed": 7,
                "gen_ai.usage.input_tokens": usage.prompt_tokens,
                "gen_ai.usage.output_tokens": usage.completion_tokens,
                "openai.api.type": "chat_completions",
                "portcullis.api": "models",
            }
            assert {name: found.get(name) for name in expected} == expected
            assert [it.string_value for it in found["gen_ai.response.finish_reasons"].values] == ["stop"]
            assert [it.string_value for it in found["gen_ai.request.stop_sequences"].values] == ["END"]
            assert found["gen_ai.response.time_to_first_chunk"] > 0
            assert "one two" not in str(collector.spans()), "no content"
            port = int(dev.azure_openai.rsplit(":", 1)[1])
            assert attributes(http)["server.port"] == port
            assert attributes(http)["http.response.status_code"] == 200

            of = lambda name: collector.metrics().get(("portcullis", name))
            assert eventually(lambda: of("gen_ai.server.time_per_output_token"))
            for name in ("time_to_first_token", "time_per_output_token"):
                metric = of(f"gen_ai.server.{name}")
                [point] = metric.histogram.data_points
                assert (metric.unit, point.count) == ("s", 1) and point.sum > 0, name
                assert attributes(point)["gen_ai.request.model"] == "gpt-4o"
            tokens = of("gen_ai.client.token.usage").histogram.data_points
            by_type = {attributes(it)["gen_ai.token.type"]: it.sum for it in tokens}
            assert by_type == {"input": usage.prompt_tokens, "output": usage.completion_tokens}


def test_times_of_tokens_are_those_of_the_stream():
    """The first token after 200 ms, then one each 50 ms: the metrics say so."""
    import time

    def answer(handler):
        read_all(handler)
        handler.send_response(200)
        handler.send_header("content-type", "text/event-stream")
        handler.send_header("transfer-encoding", "chunked")
        handler.end_headers()
        event = lambda it: chunk(handler, b"data: " + json.dumps(it).encode() + b"\n\n")
        event({"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]})
        time.sleep(0.2)
        for n in range(5):
            event({"model": "m", "choices": [{"index": 0, "delta": {"content": f"w{n}"}}]})
            time.sleep(0.05)
        event({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}})
        chunk(handler, b"data: [DONE]\n\n")
        chunk(handler, b"")

    with Backend(answer) as backend:
        with gateway({"p.xml": policies(METRIC)}, apis={"a": api(backend, policy="p.xml")}) as it:
            body = json.dumps({"model": "m", "stream": True, "messages": []})
            headers = {"content-type": "application/json"}
            path = "/v1/chat/completions"
            assert plain(it.at.gateway, "POST", path, body, headers)[0] == 200
            lines = scrape(it)
            first = lines["gen_ai_server_time_to_first_token_seconds_sum"]
            each = lines["gen_ai_server_time_per_output_token_seconds_sum"]
            assert 0.19 < first < 0.4, first
            assert 0.045 < each < 0.1, each


def scrape(process):
    """All samples without labels' difference: the sum over them, by name."""
    sums = {}
    for family in prometheus(plain(process.at.admin, path="/metrics")[2].decode()):
        for it in family.samples:
            if it.labels or it.name not in sums:
                sums[it.name] = sums.get(it.name, 0) + it.value
    return sums


def samples(process, name, **labels):
    """The values of a series with these labels."""
    return [
        it.value
        for family in prometheus(plain(process.at.admin, path="/metrics")[2].decode())
        for it in family.samples
        if it.name == name and all(it.labels.get(k) == v for k, v in labels.items())
    ]


def test_prometheus_shows_all_that_a_model_gateway_is_asked_for(own_dev):
    """Requests, latency of gateway and backend, first and further tokens, tokens by kind, limits that
    refused, breakers, cache hits."""
    dev = own_dev
    models = {
        "url": dev.azure_openai,
        "breaker": {"on": [429], "after": 1, "within": "1m", "open": "1m"},
    }
    embeddings = {
        "url": f"{dev.azure_openai}/openai/deployments/text-embedding-3-small",
        "auth": {"header": "api-key", "value": dev.azure_openai_key},
    }
    limit = """<llm-token-limit counter-key='k' tokens-per-minute='60' estimate-prompt-tokens='false' />"""
    lookup = """<llm-semantic-cache-lookup score-threshold="0.05" embeddings-backend-id="embeddings"
        embeddings-backend-auth="system-assigned" />"""
    store = '<llm-semantic-cache-store duration="60" />'
    files = {
        "open.xml": policies(METRIC),
        "limited.xml": policies(limit),
        "cached.xml": policies(lookup, store),
    }
    apis = {
        name: {"backend": "models", "path": name, "key": False, "policy": f"{name}.xml"}
        for name in ("open", "limited", "cached")
    }
    backends = {"models": models, "embeddings": embeddings}
    with gateway(files, apis=apis, backends=backends) as process:
        def client(api):
            url = f"{process.at.gateway}/{api}/openai/v1/"
            return openai.OpenAI(base_url=url, api_key=dev.azure_openai_key, max_retries=0)

        usage = say(client("open"), "one two three").usage
        streamed = list(say(client("open"), "a b c d", stream=True, stream_options={"include_usage": True}))
        for _ in range(2):
            say(client("cached"), "how do I reset my password")
        n_refused = 0
        for _ in range(10):
            try:
                say(client("limited"), "one two three four five six seven")
            except openai.RateLimitError:
                n_refused += 1
        assert n_refused
        of = lambda *more, **labels: samples(process, *more, **labels)
        assert of("portcullis_requests_total", portcullis_api="open", portcullis_status_class="2xx") == [2]
        for name in ("gateway", "backend"):
            count = f"portcullis_{name}_duration_seconds_count"
            assert of(count, portcullis_api="open") == [2], name
        total = of("http_server_request_duration_seconds_sum", portcullis_api="open")[0]
        parts = [of(f"portcullis_{it}_duration_seconds_sum", portcullis_api="open")[0] for it in ("gateway", "backend")]
        assert 0 < sum(parts) <= total
        assert of("gen_ai_server_time_to_first_token_seconds_count") == [1]
        assert of("gen_ai_server_time_per_output_token_seconds_count") == [1]
        both = [usage, streamed[-1].usage]
        for kind, name in (("input", "prompt_tokens"), ("output", "completion_tokens")):
            expected = sum(getattr(it, name) for it in both)
            found = of("gen_ai_client_token_usage_sum", gen_ai_token_type=kind)
            assert sum(found) == expected
            found = of(f"gen_ai_client_inference_usage_{kind}_tokens_total", portcullis_api="open")
            assert sum(found) == expected
        refused = of("portcullis_errors_total", portcullis_source="llm-token-limit")
        assert refused == [n_refused]
        lookups = "portcullis_cache_lookups_total"
        hits = lambda it: of(lookups, portcullis_outcome=it, portcullis_api="cached")
        assert (hits("hit"), hits("miss")) == ([1], [1])
        assert of("portcullis_backend_state", portcullis_backend="models") == [0]
        fault(dev.azure_openai, status=429)
        with pytest.raises(openai.RateLimitError):
            say(client("open"), "hello")
        assert of("portcullis_backend_state", portcullis_backend="models") == [2]
        assert of("portcullis_breaker_trips_total") == [1]
        with pytest.raises(openai.InternalServerError):
            say(client("open"), "hello")
        assert of("portcullis_breaker_refused_calls_total") == [1]


# The collector behind TLS.


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """A folder with an authority of its own, a server's certificate and a client's."""
    folder = tmp_path_factory.mktemp("authority")

    def openssl(*arguments):
        done = subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr

    key = ["-newkey", "rsa:2048", "-nodes", "-days", "2"]
    openssl("req", "-x509", *key, "-keyout", "ca-key.pem", "-out", "ca.pem", "-subj", "/CN=Our authority")
    for name in ("server", "client"):
        openssl(
            "req", "-x509", *key, "-CA", "ca.pem", "-CAkey", "ca-key.pem", "-subj", f"/CN={name}",
            "-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE",
            "-keyout", f"{name}-key.pem", "-out", f"{name}.pem",
        )  # fmt: skip
    return folder


def tls_of(folder, wants_certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server-key.pem")
    if wants_certificate:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(folder / "ca.pem")
    return context


@pytest.mark.parametrize("wants_certificate", [False, True])
def test_a_collector_of_a_private_authority_is_trusted_by_name_of_its_file(authority, wants_certificate):
    env = {
        "OTEL_EXPORTER_OTLP_CERTIFICATE": str(authority / "ca.pem"),
        "OTEL_METRIC_EXPORT_INTERVAL": "300",
    }
    if wants_certificate:
        env["OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"] = str(authority / "client.pem")
        env["OTEL_EXPORTER_OTLP_CLIENT_KEY"] = str(authority / "client-key.pem")
    with Collector(tls=tls_of(authority, wants_certificate)) as collector, Backend(text) as backend:
        env["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.backend.url
        with gateway(env=env, apis={"a": api(backend)}) as it:
            assert plain(it.at.gateway, path="/orders")[0] == 200
            assert eventually(lambda: collector.spans() and collector.records() and collector.metrics())


def test_the_settings_authorities_are_trusted_for_the_collector_too(authority):
    with Collector(tls=tls_of(authority, False)) as collector, Backend(text) as backend:
        more = {"tls": {"ca": [str(authority / "ca.pem")]}, "telemetry": otlp(collector, "traces")}
        with gateway(apis={"a": api(backend)}, **more) as it:
            assert plain(it.at.gateway, path="/orders")[0] == 200
            assert eventually(collector.spans)


@pytest.mark.parametrize("lacks", ["authority", "certificate"])
def test_a_collector_that_is_not_trusted_or_does_not_trust_gets_nothing(authority, lacks):
    env = {}
    if lacks == "certificate":
        env["OTEL_EXPORTER_OTLP_CERTIFICATE"] = str(authority / "ca.pem")
    with Collector(tls=tls_of(authority, lacks == "certificate")) as collector:
        env["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.backend.url
        with Backend(text) as backend, gateway(env=env, apis={"a": api(backend)}) as it:
            assert plain(it.at.gateway, path="/orders")[0] == 200
            failed = lambda: samples(it, "portcullis_otlp_failures_total", portcullis_signal="traces")
            assert eventually(failed)
            assert not collector.requests


# The trace in what policies call.


SEND = """<send-request mode="{mode}" response-variable-name="it">
    <set-url>{url}/side?code=s3cret</set-url><set-method>GET</set-method></send-request>
<send-one-way-request><set-url>{url}/one-way</set-url><set-method>POST</set-method></send-one-way-request>"""


@pytest.mark.parametrize("is_traced", [True, False])
def test_calls_of_policies_carry_the_trace_on(is_traced):
    seen = {}

    def answer(handler):
        read_all(handler)
        seen[handler.path.split("?")[0]] = handler.headers.get("traceparent")
        text(handler, status=404 if handler.path == "/one-way" else 200)

    with Collector() as collector, Backend(answer) as side, Backend(answer) as backend:
        files = {"p.xml": policies(SEND.format(url=side.url, mode="new"))}
        telemetry = otlp(collector, *(["traces", "logs"] if is_traced else ["logs"]))
        apis = {"a": api(backend, policy="p.xml")}
        with gateway(files, apis=apis, telemetry=telemetry) as it:
            headers = {"traceparent": PARENT}
            assert plain(it.at.gateway, path="/orders", headers=headers)[0] == 200
            assert eventually(lambda: len(seen) == 3 and collector.records())
            if not is_traced:
                assert seen == {"/side": None, "/one-way": None, "/orders": PARENT}
                assert not collector.spans()
                return
            assert eventually(lambda: len(collector.spans()) == 4)
            [server] = [it for it in collector.spans() if it.kind == 2]
            clients = [it for it in collector.spans() if it.kind == 3]
            assert {it.parent_span_id for it in clients} == {server.span_id}
            paths = {attributes(it)["url.full"].rsplit("/", 1)[1]: it for it in clients}
            assert set(paths) == {"side", "one-way", "orders"}, "and no query"
            for name, span in paths.items():
                assert seen[f"/{name}"] == f"00-{PARENT[3:35]}-{span.span_id.hex()}-01"
            assert attributes(paths["one-way"])["error.type"] == "404"
            assert attributes(paths["side"])["http.response.status_code"] == 200
            assert "s3cret" not in str(collector.spans())


SAFETY = """<llm-content-safety backend-id="safety" window-size="24">
  <categories output-type="FourSeverityLevels"><category name="Hate" threshold="4" /></categories>
</llm-content-safety>"""


def test_a_stream_that_is_stopped_is_told_and_its_judgements_are_part_of_the_trace(own_dev):
    dev = own_dev
    models = types.SimpleNamespace(url=dev.azure_openai)
    safety = {
        "url": dev.azure_openai,
        "auth": {"header": "Ocp-Apim-Subscription-Key", "value": dev.azure_openai_key},
    }
    with Collector() as collector:
        with gateway(
            {"p.xml": policies(outbound=SAFETY)},
            apis={"models": api(models, policy="p.xml")},
            backends={"safety": safety},
            telemetry=otlp(collector, "traces", "logs"),
        ) as process:
            client = client_of(process, dev)
            errors = lambda: [attributes(it).get("LastErrorReason") for it in collector.records()]

            def ended(words, n):
                list(say(client, words, stream=True))
                assert eventually(lambda: len(collector.records()) == n)
                return errors()[-1]

            assert ended("all is well", 1) is None
            assert ended("a lot of words and then [hate]", 2) == "ContentSafetyViolation"
            found = attributes(collector.records()[1])
            assert found["LastErrorSource"] == "llm-content-safety"
            assert found["LastErrorSection"] == "outbound" and found["ResponseCode"] == 200
            assert "severity" in found["LastErrorMessage"]
            control(dev.azure_openai, "PUT", "fault", {"path": "/contentsafety/", "status": 500})
            assert ended("all is well", 3) == "ContentSafetyUnavailable"
            reasons = samples(process, "portcullis_errors_total", portcullis_source="llm-content-safety")
            assert reasons == [1, 1]
            servers = lambda: [it for it in collector.spans() if it.kind == 2]
            assert eventually(lambda: len(servers()) == 3)
            words = [attributes(it).get("error.type") for it in servers()]
            assert words == [None, "ContentSafetyViolation", "ContentSafetyUnavailable"]
            calls = [it for it in collector.spans() if "contentsafety" in attributes(it).get("url.full", "")]
            assert calls and {it.parent_span_id for it in calls} <= {it.span_id for it in servers()}
