"""The wire between a caller and the gateway: protocols, framing, streaming, bounds, health, log."""

import asyncio
import contextlib
import json
import re
import ssl
import subprocess
import threading

import httpx2
import pytest
import requests

from conftest import Process
from http_calls import BODY, PATH, address, chat, connect, eventually, plain, raw, status_of
from servers import Backend, api, chunk, gateway, policies, read_all, text

CHAT = f"/openai-key{PATH}"
HEAD = f"POST {CHAT} HTTP/1.1\r\nHost: localhost\r\napi-key: local-key\r\n"
JSON = json.dumps(BODY)
GOOD = f"{HEAD}Content-Type: application/json\r\nConnection: close\r\nContent-Length: {len(JSON)}\r\n\r\n{JSON}"
NOT_FOUND = '{ "statusCode": 404, "message": "Resource not found" }'
NO_KEY = (
    '{ "statusCode": 401, "message": "Access denied due to missing subscription key. '
    'Make sure to include subscription key when making requests to an API." }'
)
BAD_KEY = (
    '{ "statusCode": 401, "message": "Access denied due to invalid subscription key. '
    'Make sure to provide a valid key for an active subscription." }'
)


# Protocols


@pytest.mark.parametrize(
    "flag,secure,version",
    [
        ("--http1.1", False, "1.1"),
        ("--http1.1", True, "1.1"),
        ("--http1.0", False, "1"),
        ("--http2", True, "2"),
        ("--http2-prior-knowledge", False, "2"),
    ],
)
def test_curl_speaks_each_version_of_http(dev, flag, secure, version):
    url = (dev.gateway_tls if secure else dev.gateway) + CHAT
    arguments = ["-sS", flag, "--cacert", dev.ca_file, "-w", "\n%{http_version} %{http_code}"]
    headers = ["-H", f"api-key: {dev.subscription_key}", "-H", "content-type: application/json"]
    done = subprocess.run(
        ["curl", *arguments, *headers, "-d", JSON, url], capture_output=True, text=True, timeout=30
    )
    body, last = done.stdout.rsplit("\n", 1)
    assert last == f"{version} 200", done.stderr
    assert json.loads(body)["choices"][0]["message"]["content"] == "You said: hi"


def test_one_http2_connection_carries_many_calls_at_once(dev):
    async def calls():
        trust = ssl.create_default_context(cafile=dev.ca_file)
        limits = httpx2.Limits(max_connections=1)
        async with httpx2.AsyncClient(http1=False, http2=True, verify=trust, limits=limits) as it:
            url, headers = dev.gateway_tls + CHAT, {"api-key": dev.subscription_key}
            calls = (it.post(url, json=BODY, headers=headers, timeout=30) for _ in range(50))
            return await asyncio.gather(*calls)

    answers = asyncio.run(calls())
    assert {(it.http_version, it.status_code) for it in answers} == {("HTTP/2", 200)}
    assert len({it.json()["id"] for it in answers}) == 50


def test_the_certificate_is_checked_and_old_tls_is_refused(dev):
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(dev.gateway_tls, timeout=20)
    old = ssl.create_default_context(cafile=dev.ca_file)
    old.set_ciphers("DEFAULT:@SECLEVEL=0")
    old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    with connect(dev.gateway_tls) as it, pytest.raises((ssl.SSLError, ConnectionError)):
        old.wrap_socket(it, server_hostname="localhost")


def test_plain_http_on_the_tls_port_gets_no_answer_of_http(dev):
    assert status_of(raw(dev.gateway_tls, GOOD)) == 0
    assert chat(dev, "openai-key", api_key=dev.subscription_key).status_code == 200


def test_a_connection_is_kept_after_answers_of_every_kind(dev):
    def one(path, key):
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\napi-key: {key}\r\n"
        return f"{head}Content-Type: application/json\r\nContent-Length: {len(JSON)}\r\n\r\n{JSON}"

    answers = raw(
        dev.gateway, one(CHAT, "local-key"), one("/nowhere", "x"), one(CHAT, "wrong"), GOOD
    )
    assert re.findall(rb"HTTP/1\.1 (\d+)", answers) == [b"200", b"404", b"401", b"200"]


def test_head_of_an_answer_has_no_body(dev):
    answer = raw(dev.gateway, "HEAD /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    head, body = answer.split(b"\r\n\r\n", 1)
    assert (status_of(head), body) == (404, b"")


# Framing: what two parties may read in two ways is refused, and the connection closed.

REFUSED = {
    "length and chunks": "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks and length": "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
    "two lengths": "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    "the same length twice": "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
    "a list of lengths": "Content-Length: 3, 3\r\n\r\nabc",
    "a signed length": "Content-Length: +3\r\n\r\nabc",
    "a negative length": "Content-Length: -3\r\n\r\nabc",
    "a length beyond numbers": "Content-Length: 99999999999999999999999\r\n\r\nabc",
    "an unknown coding": "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a coding after chunks": "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "chunks twice": "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a folded line": "X-A: b\r\n c\r\nContent-Length: 3\r\n\r\nabc",
    "a bare CR": "X-A: b\rX-B: c\r\nContent-Length: 3\r\n\r\nabc",
    "a CR in a name": "X\r-A: b\r\nContent-Length: 3\r\n\r\nabc",
    "a blank before the colon": "Content-Length : 3\r\n\r\nabc",
    "a zero byte": "X-A: a\0b\r\nContent-Length: 3\r\n\r\nabc",
    "two hosts": "Host: other\r\nContent-Length: 3\r\n\r\nabc",
    "a chunk size that is none": "Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
    "a chunk size beyond numbers": "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nabc",
    "a bare LF after a chunk": "Transfer-Encoding: chunked\r\n\r\n3;a\nabc\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("rest", REFUSED.values(), ids=REFUSED.keys())
def test_ambiguous_framing_is_refused(dev, rest):
    # The second request must not be taken for one: it would be the smuggled one.
    answer = raw(dev.gateway, HEAD + rest, GOOD)
    assert re.findall(rb"HTTP/1\.1 (\d+)", answer) == [b"400"]


@pytest.mark.parametrize(
    "request_line,status",
    [
        ("GET /a b HTTP/1.1", 400),
        ("G(T / HTTP/1.1", 400),
        ("GET / HTTP/3.7", 505),
        ("hello", 400),
        ("\x16\x03\x01\x02", 400),
        ("GET /%zz HTTP/1.1", 404),
        ("GET /%00%ff HTTP/1.1", 404),
        ("GET //openai-key//x HTTP/1.1", 404),
        ("GET /openai-key/../../../etc/passwd HTTP/1.1", 404),
        ("GET /openai-key\\..\\x HTTP/1.1", 404),
        ("CONNECT example.com:443 HTTP/1.1", 501),
        ("TRACE / HTTP/1.1", 404),
        ("OPTIONS * HTTP/1.1", 404),
        (f"GET /{'a' * 20_000} HTTP/1.1", 414),
        (f"GET /{'a' * 200_000} HTTP/1.1", 414),
    ],
)
def test_odd_request_lines_are_answered(dev, request_line, status):
    answer = raw(dev.gateway, f"{request_line}\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert status_of(answer) == status


@pytest.mark.parametrize("secure", [False, True], ids=["HTTP/1.1", "HTTP/2"])
@pytest.mark.parametrize(
    "headers", [{"x-big": "a" * 100_000}, {f"x-{i}": "a" for i in range(300)}], ids=["size", "number"]
)
def test_headers_beyond_the_bounds_are_refused(dev, secure, headers):
    trust = ssl.create_default_context(cafile=dev.ca_file)
    with httpx2.Client(http1=not secure, http2=secure, verify=trust) as it:
        url = (dev.gateway_tls if secure else dev.gateway) + CHAT
        assert it.post(url, json=BODY, headers=headers, timeout=30).status_code == 431


# What belongs to a connection stays there.


def test_headers_of_a_connection_do_not_reach_the_backend():
    seen = []

    def answer(handler):
        seen.append(dict(handler.headers.items()))
        text(handler, Connection="x-secret", X_Secret="1", Keep_Alive="timeout=9", X_Open="2")

    with Backend(answer) as backend:
        guard = policies('<set-header name="x-guard"><value>yes</value></set-header>')
        with gateway({"guard.xml": guard}, apis={"a": api(backend, policy="guard.xml")}) as it:
            headers = {
                "Connection": "close, x-hop, x-guard",
                "X-Hop": "1",
                "X-Guard": "no",
                "X-End": "2",
                "TE": "trailers",
                "Proxy-Authorization": "Basic x",
            }
            status, answered, _ = plain(it.at.gateway, headers=headers)
    assert (status, answered["x-secret"], answered["keep-alive"]) == (200, None, None)
    assert answered["x-open"] == "2"
    names = {name.lower(): value for name, value in seen[0].items()}
    assert not {"x-hop", "te", "proxy-authorization"} & names.keys()
    assert names["x-end"] == "2" and names["x-forwarded-for"] == "127.0.0.1"
    # A caller cannot take away what a policy puts in.
    assert names["x-guard"] == "yes"


# Streams


def test_events_arrive_one_by_one():
    taken = threading.Semaphore(0)

    def answer(handler):
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for number in range(5):
            chunk(handler, b"data: %d\n\n" % number)
            # The next event is made only after the caller has read this one.
            assert taken.acquire(timeout=20)
        chunk(handler, b"")

    with Backend(answer) as backend, gateway(apis={"a": api(backend)}) as it:
        with requests.get(it.at.gateway, stream=True, timeout=20) as stream:
            events = []
            for line in stream.iter_lines(chunk_size=1):
                if line:
                    events.append(line)
                    taken.release()
    assert events == [b"data: %d" % number for number in range(5)]


def test_a_request_body_streams_to_the_backend():
    arrived = threading.Event()

    def answer(handler):
        size = int(handler.rfile.readline(), 16)
        first = handler.rfile.read(size + 2)
        arrived.set()
        read_all(handler)
        text(handler, first.decode().strip())

    with Backend(answer) as backend, gateway(apis={"a": api(backend)}) as it:
        with connect(it.at.gateway) as caller:
            head = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close"
            caller.sendall(f"{head}\r\n\r\n5\r\nfirst\r\n".encode())
            assert arrived.wait(20), "the gateway holds the body back"
            caller.sendall(b"4\r\nlast\r\n0\r\n\r\n")
            answer = b"".join(iter(lambda: caller.recv(65536), b""))
    assert status_of(answer) == 200 and answer.endswith(b"first")


def test_a_body_is_asked_for_before_it_is_sent(dev):
    head, body = GOOD.replace("\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n\0", 1).split("\0")
    with connect(dev.gateway) as it:
        it.sendall(head.encode())
        interim = it.recv(65536)
        assert interim.startswith(b"HTTP/1.1 100 Continue\r\n\r\n")
        it.sendall(body.encode())
        answer = interim[25:] + b"".join(iter(lambda: it.recv(65536), b""))
    assert status_of(answer) == 200 and b"You said: hi" in answer


def test_a_body_that_is_refused_anyway_is_not_asked_for(dev):
    head = GOOD.split("\r\n\r\n")[0].replace("local-key", "wrong")
    answer = raw(dev.gateway, f"{head}\r\nExpect: 100-continue\r\n\r\n")
    assert status_of(answer) == 401


def test_a_caller_that_leaves_takes_its_backend_call_along():
    begun, gone = threading.Event(), threading.Event()

    def answer(handler):
        begun.set()
        handler.connection.settimeout(20)
        length = int(handler.headers.get("content-length", 0))
        whole = handler.rfile.read(length)
        if len(whole) < length or not handler.connection.recv(1):
            gone.set()

    for head in ("GET / HTTP/1.1\r\n", "POST / HTTP/1.1\r\nContent-Length: 1000\r\n"):
        begun.clear()
        gone.clear()
        with Backend(answer) as backend, gateway(apis={"a": api(backend)}) as it:
            caller = connect(it.at.gateway)
            caller.sendall(f"{head}Host: x\r\n\r\n".encode())
            if "POST" in head:
                caller.sendall(b"half a body")
            assert begun.wait(20)
            caller.close()
            assert gone.wait(20), head
            assert eventually(lambda: "ClientConnectionFailure" in it.output())


def test_a_body_beyond_the_bound_is_refused():
    def answer(handler):
        with contextlib.suppress(OSError):
            read_all(handler)
            text(handler)

    with Backend(answer) as backend:
        with gateway(apis={"a": api(backend)}, limits={"max-body": "64KiB"}) as it:
            url = it.at.gateway
            assert plain(url, "POST", body=b"x" * 65_536)[0] == 200
            status, _, body = plain(url, "POST", body=b"x" * 65_537)
            assert (status, json.loads(body)["statusCode"]) == (413, 413)
            chunks = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
            many = "1000\r\n" + "x" * 4096 + "\r\n"
            assert status_of(raw(url, chunks, many * 17 + "0\r\n\r\n")) == 413


def test_a_broken_answer_never_looks_whole():
    def answer(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b"half")
        handler.close_connection = True

    with Backend(answer) as backend, gateway(apis={"a": api(backend)}) as it:
        with pytest.raises(requests.exceptions.RequestException):
            requests.get(it.at.gateway, timeout=20)


# Answers that Azure fixes


def test_an_unknown_path_is_not_found(dev):
    for path in ("/", "/nowhere", "/openai-key", f"/openai-key{PATH}x/y"):
        status, headers, body = plain(dev.gateway, path=path)
        assert (status, body.decode()) == (404, NOT_FOUND)
        assert headers["content-type"] == "application/json"
    # Another method is not found either, whether there is a key or not.
    assert plain(dev.gateway, "PUT", CHAT)[0] == 404


@pytest.mark.parametrize("key,body", [(None, NO_KEY), ("wrong", BAD_KEY)])
def test_a_key_is_needed(dev, key, body):
    headers = {} if key is None else {"api-key": key}
    status, answered, text = plain(dev.gateway, "POST", CHAT, JSON, headers)
    host, port = address(dev.gateway)
    realm = f"http://{host}:{port}/openai-key/openai"
    assert (status, text.decode()) == (401, body)
    assert answered["content-type"] == "application/json"
    assert answered["www-authenticate"] == (
        f'AzureApiManagementKey realm="{realm}",name="api-key",type="header"'
    )


def test_a_key_may_stand_in_the_query(dev):
    for path, status in (("&subscription-key=local-key", 200), ("&subscription-key=x", 401)):
        answer = requests.post(f"{dev.gateway}{CHAT}{path}", json=BODY, timeout=20)
        assert answer.status_code == status


# Health


def test_the_reserved_paths_answer_without_a_key(dev):
    for path in ("/status-0123456789abcdef", "/internal-status-0123456789abcdef"):
        for url in (dev.gateway, dev.gateway_tls):
            answer = requests.get(url + path, verify=dev.ca_file, timeout=20)
            assert (answer.status_code, answer.text) == (200, "Service Operational")
            assert answer.headers["content-type"] == "text/plain"


def test_the_admin_listener_tells_of_health_and_nothing_else(dev):
    assert plain(dev.admin, path="/livez")[0] == 200
    status, _, body = plain(dev.admin, path="/readyz")
    assert (status, json.loads(body)) == (200, {"status": "ready"})
    assert plain(dev.admin, "POST", "/livez")[0] == 405
    assert plain(dev.admin, path="/")[0] == plain(dev.admin, "POST", CHAT)[0] == 404
    assert plain(dev.gateway, path="/readyz")[0] == 404


# The access log, and what must never be said

COLUMNS = {
    "TimeGenerated",
    "CorrelationId",
    "OperationName",
    "Category",
    "IsRequestSuccess",
    "TotalTime",
    "BackendTime",
    "CallerIpAddress",
    "Method",
    "Url",
    "ClientProtocol",
    "RequestSize",
    "ResponseSize",
    "ResponseCode",
}


def log_lines(process):
    return [json.loads(line) for line in process.lines if line.startswith("{")]


def test_the_log_has_azures_columns_and_no_secrets(mint):
    secrets = {"a-callers-key", "local-key"}
    stray = {"IDENTITY_ENDPOINT": "http://127.0.0.1:1/x", "IDENTITY_HEADER": "a-stray-header"}
    with Process("dev", "--ports", "ephemeral", "-vv", env=stray) as process:
        at = process.at
        secrets |= {at.client_secret, at.identity_header, at.azure_openai_key, "a-stray-header"}
        tokens = [mint(), mint("--forge", "wrong-key"), mint("--version", "2.0")]
        # Whatever part of a token is shown would do: its claims, its signature.
        secrets |= {part for it in tokens for part in it.split(".")[1:]}
        secrets.add("eyJ")
        for token in tokens:
            for name in ("openai-jwt", "openai-entra"):
                chat(at, name, authorization=f"Bearer {token}")
        for name in ("openai-key", "openai-identity"):
            assert chat(at, name, api_key=at.subscription_key).status_code == 200
            chat(at, name, api_key="a-callers-key")
            for query in ("subscription-key=local-key", "subscription-key=a-callers-key"):
                url = f"{at.gateway}/{name}{PATH}&{query}"
                requests.post(url, json=BODY, timeout=20)
        requests.get(f"{at.gateway}/nowhere?subscription-key=a-callers-key", timeout=20)
        assert eventually(lambda: len(log_lines(process)) >= 15)
        lines = log_lines(process)
        process.stop()
        said = [it for it in process.lines if it.startswith("{")] + [process.text()]
    for line in lines:
        assert COLUMNS <= line.keys()
        assert line["OperationName"] == "Microsoft.ApiManagement/GatewayLogs"
    good = next(it for it in lines if it["ResponseCode"] == 200)
    assert {"ApiId", "OperationId", "BackendUrl", "BackendResponseCode"} <= good.keys()
    bad = next(it for it in lines if it.get("ApiId") == "openai-jwt" and it["ResponseCode"] == 403)
    assert bad["LastErrorSource"] == "validate-jwt" and bad["LastErrorReason"]
    found = {secret for secret in secrets if secret and any(secret in text for text in said)}
    assert not found
