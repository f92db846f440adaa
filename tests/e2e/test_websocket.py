"""WebSocket APIs: the handshake passes the policies, messages pass untouched."""

import contextlib
import threading

import pytest
import websockets.exceptions
from websockets.sync.client import connect
from websockets.sync.server import serve

from servers import Backend, gateway, policies, text
from http_calls import eventually, plain

KEY = "a-key"
INFORMATION = {"displayName": "Echo", "path": "echo", "type": "websocket", "protocols": ["ws"]}


class Echo:
    """A WebSocket server that sends back what comes, and remembers its handshakes."""

    def __init__(self):
        self.handshakes, self.closed = [], []
        self.server = serve(self.talk, "127.0.0.1", 0, max_size=2**24)
        self.url = f"ws://127.0.0.1:{self.server.socket.getsockname()[1]}/base"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def talk(self, connection):
        self.handshakes.append(connection.request)
        try:
            while (message := connection.recv()) != "close":
                connection.send(message)
            connection.close(4001, "as you wish")
        except websockets.exceptions.ConnectionClosed:
            self.closed.append((connection.close_code, connection.close_reason))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()


@contextlib.contextmanager
def echoing():
    """An echo server behind a gateway, as an API of an artifact folder."""
    with Echo() as echo:
        files = {
            "apis/echo/apiInformation.json": {"properties": {**INFORMATION, "serviceUrl": echo.url}},
            "apis/echo/policy.xml": policies(
                '<set-header name="x-policy" exists-action="override">'
                '<value>@(context.Operation.UrlTemplate + "seen")</value></set-header>'
            ),
        }
        with gateway(files, env={"A_KEY": KEY}, keys={"acme": {"env": "A_KEY"}}) as it:
            it.echo = echo
            it.url = it.at.gateway.replace("http", "ws") + "/echo"
            yield it


@pytest.fixture(scope="module")
def echo():
    with echoing() as it:
        yield it


def test_messages_of_both_kinds_come_back(echo):
    with connect(f"{echo.url}?subscription-key={KEY}", max_size=2**24) as it:
        for message in ("hello", "", "ü€😀", b"\x00\xff", b"x" * 300_000, "y" * 70_000):
            it.send(message)
            assert it.recv(timeout=20) == message
        it.send(["in ", "several ", "frames"])
        assert it.recv(timeout=20) == "in several frames"
        assert it.ping().wait(timeout=20)


def test_many_messages_keep_their_order(echo):
    with connect(f"{echo.url}?subscription-key={KEY}") as it:
        for number in range(200):
            it.send(str(number))
        assert [it.recv(timeout=20) for _ in range(200)] == [str(n) for n in range(200)]


def test_the_policies_see_the_handshake(echo):
    headers = {"Ocp-Apim-Subscription-Key": KEY, "X-Mine": "1"}
    with connect(f"{echo.url}?a=b", additional_headers=headers) as it:
        it.send("x")
        assert it.recv(timeout=20) == "x"
    handshake = echo.echo.handshakes[-1]
    assert handshake.path == "/base?a=b"
    assert (handshake.headers["x-mine"], "seen" in handshake.headers["x-policy"]) == ("1", True)


def test_the_backend_may_close(echo):
    with connect(f"{echo.url}?subscription-key={KEY}") as it:
        it.send("close")
        with pytest.raises(websockets.exceptions.ConnectionClosed) as end:
            it.recv(timeout=20)
    assert (end.value.rcvd.code, end.value.rcvd.reason) == (4001, "as you wish")


def test_the_caller_may_close(echo):
    with connect(f"{echo.url}?subscription-key={KEY}") as it:
        it.close(4002, "enough")
    assert eventually(lambda: (4002, "enough") in echo.echo.closed)


def test_a_caller_that_vanishes_ends_the_backends_connection(echo):
    before = len(echo.echo.closed)
    with connect(f"{echo.url}?subscription-key={KEY}") as it:
        it.send("x")
        assert it.recv(timeout=20) == "x"
        it.socket.shutdown(2)
    assert eventually(lambda: len(echo.echo.closed) > before)


@pytest.mark.parametrize("query", ["", "?subscription-key=wrong"])
def test_a_key_is_needed(echo, query):
    with pytest.raises(websockets.exceptions.InvalidStatus) as refusal:
        connect(echo.url + query)
    assert refusal.value.response.status_code == 401


def test_an_ordinary_call_is_not_a_handshake(echo):
    assert plain(echo.at.gateway, path=f"/echo?subscription-key={KEY}")[0] == 404


def test_an_http_api_does_not_switch():
    with Backend(text) as backend:
        with gateway(apis={"a": {"url": backend.url, "path": "", "key": False}}) as it:
            with pytest.raises(websockets.exceptions.InvalidStatus) as refusal:
                connect(it.at.gateway.replace("http", "ws"))
    assert refusal.value.response.status_code == 404
