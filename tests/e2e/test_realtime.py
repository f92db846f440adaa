"""Realtime sessions behind the gateway: counted while they pass, closed when nothing is left."""

import contextlib
import json
import threading

import openai
import pytest
import requests
import websockets.exceptions
from websockets.sync.client import connect
from websockets.sync.server import serve

from http_calls import eventually
from servers import gateway, policies

LIMIT = '<llm-token-limit counter-key="all" {attributes} />'
METRIC = '<llm-emit-token-metric namespace="sessions"><dimension name="API ID" /></llm-emit-token-metric>'


class Model:
    """A service that answers `response.create` with so many tokens, the event in several frames."""

    def __init__(self, tokens=60):
        self.tokens = tokens
        self.asked, self.handshakes, self.closed = [], [], []
        self.server = serve(self.talk, "127.0.0.1", 0, compression="deflate", max_size=2**24)
        self.url = f"ws://127.0.0.1:{self.server.socket.getsockname()[1]}/openai"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def talk(self, connection):
        self.handshakes.append(connection.request.headers)
        try:
            while True:
                event = json.loads(connection.recv())
                self.asked.append(event["type"])
                if event["type"] == "response.create":
                    connection.send(json.dumps({"type": "response.output_text.delta", "delta": "response.done"}))
                    usage = {"total_tokens": self.tokens, "input_tokens": self.tokens - 20, "output_tokens": 20}
                    done = json.dumps({"type": "response.done", "response": {"usage": usage}})
                    connection.send([done[:20], done[20:30], done[30:]])
                else:
                    connection.send(json.dumps({"type": "other"}))
        except websockets.exceptions.ConnectionClosed:
            self.closed.append((connection.close_code, connection.close_reason))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()


@contextlib.contextmanager
def session_api(inbound, **model):
    with Model(**model) as it:
        apis = {"rt": {"path": "openai", "websocket": True, "url": it.url, "key": False, "policy": "rt.xml"}}
        with gateway({"rt.xml": policies(inbound)}, apis=apis) as process:
            process.model = it
            process.url = process.at.gateway.replace("http", "ws") + "/openai/realtime?model=gpt-realtime"
            yield process


def ask(connection, kind="response.create"):
    """Sends an event; gives the last event of the answer."""
    connection.send(json.dumps({"type": kind}))
    while (event := json.loads(connection.recv(timeout=20)))["type"] not in ("response.done", "other"):
        pass
    return event


def test_answers_are_charged_and_a_spent_session_is_closed():
    with session_api(LIMIT.format(attributes='tokens-per-minute="100" token-quota="100" token-quota-period="Yearly" remaining-quota-tokens-header-name="x-left"')) as process:
        with connect(process.url) as it:
            assert it.response.headers["x-left"] == "100"
            assert "sec-websocket-extensions" not in it.response.headers
            assert ask(it)["response"]["usage"]["total_tokens"] == 60
            with connect(process.url) as second:
                assert second.response.headers["x-left"] == "40"
            ask(it, "session.update")
            # There is room left, so the answer may go beyond it; it is charged all the same.
            ask(it)
            with pytest.raises(websockets.exceptions.ConnectionClosed) as closed:
                ask(it, "session.update")
            assert closed.value.rcvd.code == 1008
            assert closed.value.rcvd.reason.startswith("Token quota is exceeded. Try again in ")
        assert process.model.asked == ["response.create", "session.update", "response.create"]
        assert "sec-websocket-extensions" not in process.model.handshakes[0]
        with pytest.raises(websockets.exceptions.InvalidStatus) as refused:
            connect(process.url)
        assert refused.value.response.status_code == 403


def test_a_rate_closes_a_session_until_it_recovers():
    with session_api(LIMIT.format(attributes='tokens-per-minute="30"')) as process:
        with connect(process.url) as it:
            ask(it)
            with pytest.raises(websockets.exceptions.ConnectionClosed) as closed:
                ask(it)
            assert closed.value.rcvd.code == 1008
            assert closed.value.rcvd.reason.startswith("Token limit is exceeded. Try again in ")
        with pytest.raises(websockets.exceptions.InvalidStatus) as refused:
            connect(process.url)
        assert refused.value.response.status_code == 429


def test_a_quota_closes_sessions_of_the_same_key():
    with session_api(LIMIT.format(attributes='token-quota="50" token-quota-period="Monthly"')) as process:
        with connect(process.url) as first, connect(process.url) as second:
            ask(first)
            # The answer may be here a moment before it is counted.
            with pytest.raises(websockets.exceptions.ConnectionClosed) as closed:
                for _ in range(20):
                    ask(second)
            assert closed.value.rcvd.code == 1008 and closed.value.rcvd.reason.startswith("Token quota is exceeded.")
        with pytest.raises(websockets.exceptions.InvalidStatus) as refused:
            connect(process.url)
        assert refused.value.response.status_code == 403


def test_every_answer_is_a_measurement():
    with session_api(METRIC) as process:
        with connect(process.url) as it:
            ask(it)
            ask(it)
        metrics = lambda: requests.get(f"{process.at.admin}/metrics").text
        eventually(lambda: any("sessions" in line and " 120" in line for line in metrics().splitlines()))


def test_big_messages_pings_and_closing_go_through():
    with session_api(LIMIT.format(attributes='tokens-per-minute="100000"')) as process:
        with connect(process.url, max_size=2**24) as it:
            it.send([json.dumps({"type": "x", "audio": "a" * 2_000_000})[:1000], json.dumps({"type": "x", "audio": "a" * 2_000_000})[1000:]])
            assert json.loads(it.recv(timeout=20))["type"] == "other"
            assert it.ping().wait(timeout=20)
            it.close(4321, "bye")
        eventually(lambda: process.model.closed == [(4321, "bye")])


def test_the_openai_client_through_the_gateway(dev):
    """The unmodified client and the stand-in; its answers are counted."""
    inbound = '<set-header name="api-key"><value>' + dev.azure_openai_key + '</value></set-header>' + LIMIT.format(attributes='token-quota="1000" token-quota-period="Yearly" remaining-quota-tokens-header-name="x-left"')
    apis = {"rt": {"path": "openai", "websocket": True, "url": dev.azure_openai.replace("http", "ws") + "/openai", "key": False, "policy": "rt.xml"}}
    with gateway({"rt.xml": policies(inbound)}, apis=apis) as process:
        client = openai.AzureOpenAI(azure_endpoint=process.at.gateway, api_version="2024-10-01-preview", api_key="any", websocket_base_url=process.at.gateway.replace("http", "ws") + "/openai")
        with client.realtime.connect(model="gpt-realtime") as connection:
            connection.conversation.item.create(item={"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hello"}]})
            connection.response.create()
            for event in connection:
                if event.type == "response.done":
                    used = event.response.usage.total_tokens
                    break
        url = process.at.gateway.replace("http", "ws") + "/openai/realtime?model=gpt-realtime&api-version=2024-10-01-preview&deployment=gpt-realtime"
        with connect(url) as it:
            assert it.response.headers["x-left"] == str(1000 - used)
