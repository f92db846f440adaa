"""Policies that try again, wait, limit, and call others, over real sockets."""

import concurrent.futures
import http.client
import json
import threading
import time

from http_calls import address, connect, eventually, plain
from servers import Backend, api, gateway, policies, read_all, text


def document(inbound="", backend="<base />", outbound="", on_error=""):
    """A policy document whose backend section is not the default."""
    return policies(inbound, outbound, on_error).replace(
        "<backend><base /></backend>", f"<backend>{backend}</backend>"
    )


def flow(backend, policy, **more):
    """A gateway with one API that has this policy."""
    return gateway({"p.xml": policy}, apis={"a": api(backend, policy="p.xml")}, **more)


class Failing:
    """Answers these statuses in turn, then 200; keeps the bodies it got."""

    def __init__(self, *statuses):
        self.statuses, self.bodies = list(statuses), []

    def __call__(self, handler):
        self.bodies.append(read_all(handler).decode())
        status = self.statuses.pop(0) if self.statuses else 200
        text(handler, f"try {len(self.bodies)}", status)


RETRY = """<retry condition="@(context.Response == null || context.Response.StatusCode >= 500)"
    count="3" interval="0" first-fast-retry="true"><forward-request {} /></retry>"""


def test_a_backend_that_fails_twice_is_tried_until_it_answers():
    failing = Failing(503, 500)
    with Backend(failing) as backend:
        with flow(backend, document(backend=RETRY.format('buffer-request-body="true"'))) as it:
            status, _, body = plain(it.at.gateway, "POST", "/x", body=b"the body")
    assert (status, body) == (200, b"try 3")
    assert failing.bodies == ["the body"] * 3


def test_a_body_that_is_not_kept_fails_instead_of_being_sent_empty():
    failing = Failing(503)
    size = 300_000
    with Backend(failing) as backend:
        with flow(backend, document(backend=RETRY.format(""))) as it:
            assert "PC0428" in it.text()
            status, _, _ = plain(it.at.gateway, "POST", "/x", body=b"x" * size)
            assert status == 500
            assert [len(body) for body in failing.bodies] == [size]
            # Without a body there is nothing to keep.
            failing.statuses = [503]
            assert plain(it.at.gateway, "GET", "/x")[0] == 200


def test_the_caller_may_leave_while_a_retry_waits():
    failing = Failing(*[503] * 60)
    wait = '<retry condition="true" count="50" interval="1000"><forward-request /></retry>'
    logged = document(
        backend=f'<limit-concurrency key="k" max-count="1">{wait}</limit-concurrency>'
    )
    with Backend(failing) as backend, flow(backend, logged) as it:
        with connect(it.at.gateway) as caller:
            caller.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            assert eventually(lambda: failing.bodies)
            assert plain(it.at.gateway)[0] == 429
        # The place is free again as soon as the caller is gone.
        with connect(it.at.gateway) as caller:

            def is_inside():
                caller.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
                caller.settimeout(0.3)
                try:
                    return not caller.recv(65536)
                except TimeoutError:
                    return True

            assert eventually(is_inside)


def test_a_streamed_answer_keeps_its_place_until_its_end():
    go_on = threading.Event()

    def slow(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", "200000")
        handler.end_headers()
        handler.wfile.write(b"x" * 100_000)
        go_on.wait(timeout=30)
        handler.wfile.write(b"x" * 100_000)

    limited = document(
        backend='<limit-concurrency key="@(context.Request.IpAddress)" max-count="1">'
        '<forward-request buffer-response="false" /></limit-concurrency>'
    )
    with Backend(slow) as backend, flow(backend, limited) as it:
        first = http.client.HTTPConnection(*address(it.at.gateway), timeout=20)
        first.request("GET", "/")
        answer = first.getresponse()
        answer.read(1000)
        status, headers, body = plain(it.at.gateway)
        assert status == 429 and headers["content-type"] == "application/json"
        assert json.loads(body) == {"statusCode": 429, "message": "Concurrency limit is exceeded."}
        go_on.set()
        assert len(answer.read()) == 199_000
        first.close()
        assert eventually(lambda: plain(it.at.gateway)[0] == 200)


def test_wait_calls_others_at_the_same_time():
    both = threading.Barrier(2, timeout=20)

    def meet(handler):
        if handler.path != "/last":
            both.wait()
        text(handler, handler.path)

    with Backend(meet) as backend:
        one, two = (
            f'<send-request response-variable-name="{name}"><set-url>{backend.url}/{name}</set-url>'
            "<set-method>GET</set-method></send-request>"
            for name in ("one", "two")
        )
        read = '((IResponse)context.Variables["{}"]).Body.As<string>()'
        answer = f"""<wait for="all">{one}<choose><when condition="true">{two}</when></choose></wait>
            <return-response><set-body>@({read.format("one")} + {read.format("two")})</set-body></return-response>"""
        with flow(backend, document(answer)) as it:
            assert plain(it.at.gateway)[2] == b"/one/two"


def test_the_first_answer_is_enough_for_any():
    held = threading.Event()

    def answer(handler):
        if handler.path == "/slow":
            held.wait(timeout=30)
        text(handler, "it")

    with Backend(answer) as backend:
        calls = "".join(
            f'<send-request response-variable-name="{name}"><set-url>{backend.url}/{name}</set-url>'
            "<set-method>GET</set-method></send-request>"
            for name in ("slow", "quick")
        )
        told = '<set-header name="x-names"><value>@(string.Join(",", context.Variables.Keys))</value></set-header>'
        with flow(backend, document(f'<wait for="any">{calls}</wait>', outbound=told)) as it:
            status, headers, _ = plain(it.at.gateway)
        held.set()
    assert (status, headers["x-names"]) == (200, "quick")


def test_send_request_asks_the_stand_ins_with_the_gateways_identity(dev):
    secret = f"""<send-request mode="new" response-variable-name="r" timeout="20">
        <set-url>https://contoso-vault.vault.azure.net/secrets/nothing?api-version=7.4</set-url>
        <set-method>GET</set-method>
        <authentication-managed-identity resource="https://vault.azure.net" />
    </send-request>
    <return-response response-variable-name="r" />"""
    with Backend(lambda it: text(it)) as backend:
        hosts = {
            "*.vault.azure.net": {"address": "%s:%d" % address(dev.key_vault), "ca": dev.ca_file},
            "169.254.169.254": "%s:%d" % address(dev.imds),
        }
        with flow(backend, document(secret), hosts=hosts) as it:
            status, _, body = plain(it.at.gateway)
    # The stand-in lets the gateway in: it looks for the secret, and there is none.
    assert (status, json.loads(body)["error"]["code"]) == (404, "SecretNotFound")


def test_a_one_way_request_arrives_and_nobody_waits_for_it():
    heard, held = [], threading.Event()

    def hook(handler):
        heard.append((handler.command, read_all(handler).decode()))
        held.wait(timeout=30)
        text(handler)

    with Backend(hook) as listener, Backend(lambda it: text(it, "main")) as backend:
        send = f"""<send-one-way-request><set-url>{listener.url}</set-url><set-method>POST</set-method>
            <set-body>@(context.Request.Url.Path)</set-body></send-one-way-request>"""
        with flow(backend, document(send)) as it:
            start = time.monotonic()
            assert plain(it.at.gateway, path="/orders")[2] == b"main"
            assert time.monotonic() - start < 10
            assert eventually(lambda: heard == [("POST", "/orders")])
            held.set()


def test_metrics_and_traces_are_seen_by_those_who_run_the_gateway():
    seen = """<emit-metric name="Calls" namespace="shop" value="2">
            <dimension name="API ID" /><dimension name="Method" value="@(context.Request.Method)" />
        </emit-metric>
        <trace source="shop" severity="information"><message>a call</message>
            <metadata name="path" value="@(context.Request.Url.Path)" /></trace>"""
    with Backend(lambda it: text(it)) as backend, flow(backend, document(seen)) as it:
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: plain(it.at.gateway, path="/orders"), range(20)))
        status, headers, body = plain(it.at.admin, path="/metrics")
        assert status == 200 and headers["content-type"].startswith("text/plain; version=0.0.4")
        lines = body.decode().splitlines()
        assert 'shop_Calls_sum{API_ID="a",Method="GET"} 40' in lines
        assert 'shop_Calls_count{API_ID="a",Method="GET"} 20' in lines
        assert eventually(lambda: it.text().count("a call") == 20)
        assert '\\"path\\":\\"/orders\\"' in it.text() or '"path":"/orders"' in it.text()


def test_events_are_logged_into_a_file_and_the_caller_does_not_wait():
    logged = document(
        outbound='<log-to-eventhub logger-id="local" partition-key="@(context.Request.Method)">'
        '@(context.Request.Url.Path + " " + context.Response.StatusCode)</log-to-eventhub>'
    )
    with Backend(lambda it: text(it, status=201)) as backend:
        with flow(backend, logged, loggers={"local": {"file": "events.log"}}) as it:
            assert plain(it.at.gateway, path="/a")[0] == 201
            assert plain(it.at.gateway, "POST", "/b", body=b"x")[0] == 201
            file = it.files.path / "events.log"
            assert eventually(lambda: file.exists() and len(file.read_text().splitlines()) == 2)
            events = [json.loads(line) for line in file.read_text().splitlines()]
    told = sorted((it["logger"], it["partitionKey"], it["message"]) for it in events)
    assert told == [("local", "GET", "/a 201"), ("local", "POST", "/b 201")]


def test_an_event_hub_gets_batches_and_a_refused_one_again():
    calls = []

    def hub(handler):
        calls.append((handler.path, handler.headers["authorization"], read_all(handler)))
        text(handler, status=503 if len(calls) == 1 else 201)

    logged = document('<log-to-eventhub logger-id="hub">@(context.Request.Url.Path)</log-to-eventhub>')
    key = "Endpoint=sb://ns.test/;SharedAccessKeyName=send;SharedAccessKey=s3cret;EntityPath=calls"
    with Backend(hub) as events, Backend(lambda it: text(it)) as backend:
        to_hub = {"address": "%s:%d" % address(events.url), "tls": False}
        settings = {"hosts": {"ns.test": to_hub}, "loggers": {"hub": {"connection-string": key}}}
        with flow(backend, logged, **settings, arguments=("--workers", "1")) as it:
            for path in ("/a", "/b"):
                assert plain(it.at.gateway, path=path)[0] == 200
            assert eventually(lambda: len(calls) >= 2)
            assert "s3cret" not in it.text() + it.output()
    path, authorization, body = calls[1]
    assert path == "/calls/messages?timeout=60&api-version=2014-01"
    assert authorization.startswith("SharedAccessSignature sr=https%3A%2F%2Fns.test%2Fcalls&sig=")
    assert json.loads(body) == [{"Body": "/a"}, {"Body": "/b"}]
    assert calls[0][2] == body


def test_dapr_is_called_through_its_sidecar():
    def sidecar(handler):
        text(handler, f"{handler.path} {read_all(handler).decode()}")

    calls = """<publish-to-dapr topic="orders/new">hello</publish-to-dapr>
        <invoke-dapr-binding name="b" operation="get" response-variable-name="r" />
        <set-header name="x-binding"><value>@(((IResponse)context.Variables["r"]).Body.As<string>())</value></set-header>
        <set-backend-service backend-id="dapr" dapr-app-id="echo" dapr-method="say" />"""
    told = '<set-header name="x-binding"><value>@(context.Request.Headers.GetValueOrDefault("x-binding"))</value></set-header>'
    with Backend(sidecar) as dapr, Backend(lambda it: text(it)) as backend:
        hosts = {"localhost": "%s:%d" % address(dapr.url)}
        with flow(backend, document(calls, outbound=told), hosts=hosts) as it:
            _, headers, body = plain(it.at.gateway, "POST", "/orders?a=b", body=b"hi")
    assert body == b"/v1.0/invoke/echo/method/say?a=b hi"
    assert headers["x-binding"] == '/v1.0/bindings/b {"operation":"get"}'
