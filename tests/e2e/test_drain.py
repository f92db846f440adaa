"""The end of a gateway: what is under way is finished, nothing new is begun."""

import contextlib
import signal
import threading

import pytest
import requests

from http_calls import connect, eventually, plain
from servers import Backend, api, chunk, gateway, policies, text


class Slow:
    """A backend that streams one event for each permission it gets."""

    def __init__(self):
        self.permits = threading.Semaphore(0)
        self.backend = Backend(self.answer)

    def answer(self, handler):
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for number in range(3):
            chunk(handler, b"data: %d\n\n" % number)
            if not self.permits.acquire(timeout=20):
                return
        chunk(handler, b"")


@contextlib.contextmanager
def streaming(arguments=()):
    """A gateway in the middle of a stream: the process, the stream's lines, the backend."""
    slow = Slow()
    with slow.backend, gateway(None, arguments, apis={"a": api(slow.backend)}) as it:
        with requests.get(it.at.gateway, stream=True, timeout=20) as stream:
            lines = stream.iter_lines(chunk_size=1)
            assert next(lines) == b"data: 0"
            yield it, lines, slow


def is_refused(url):
    try:
        connect(url).close()
    except ConnectionRefusedError:
        return True
    return False


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_what_is_under_way_is_finished(how):
    with streaming() as (it, lines, slow):
        it.process.send_signal(how)
        assert eventually(lambda: is_refused(it.at.gateway))
        status, _, told = plain(it.at.admin, path="/readyz")
        assert (status, b"draining" in told) == (503, True)
        assert plain(it.at.admin, path="/livez")[0] == 200
        slow.permits.release(3)
        assert [line for line in lines if line] == [b"data: 1", b"data: 2"]
        assert it.wait() == 0


def test_a_resting_connection_does_not_hold_the_end_up():
    with streaming() as (it, lines, slow):
        slow.permits.release(3)
        list(lines)
        with connect(it.at.gateway) as resting:
            resting.sendall(b"GET /status-0123456789abcdef HTTP/1.1\r\nHost: x\r\n\r\n")
            assert resting.recv(65536).startswith(b"HTTP/1.1 200")
            it.process.send_signal(signal.SIGTERM)
            assert it.wait(seconds=20) == 0


@pytest.mark.parametrize("how,code", [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_second_signal_stops_at_once(how, code):
    with streaming() as (it, _, _):
        it.process.send_signal(how)
        assert eventually(lambda: is_refused(it.at.gateway))
        it.process.send_signal(how)
        assert it.wait(seconds=10) == code


def test_the_time_to_drain_has_an_end():
    with streaming(["--drain", "200ms"]) as (it, _, _):
        it.process.send_signal(signal.SIGTERM)
        assert it.wait(seconds=10) == 143
        assert "cut off" in it.text()


def test_an_idle_gateway_ends_at_once():
    with streaming() as (it, lines, slow):
        slow.permits.release(3)
        list(lines)
        assert it.stop() == 0


def test_what_answered_requests_left_behind_is_finished():
    """A one-way request that its backend holds, and an event that waits for others."""
    arrived, may_answer = threading.Event(), threading.Semaphore(0)

    def hold(handler):
        arrived.set()
        may_answer.acquire(timeout=20)
        text(handler)

    with Backend(text) as backend, Backend(hold) as aside:
        document = policies(
            f'<send-one-way-request><set-url>{aside.url}/aside</set-url><set-method>GET</set-method>'
            '</send-one-way-request><log-to-eventhub logger-id="events">seen</log-to-eventhub>'
        )
        with gateway(
            {"policy.xml": document},
            apis={"a": api(backend, policy="policy.xml")},
            loggers={"events": {"file": "events.log"}},
        ) as it:
            assert plain(it.at.gateway)[0] == 200
            assert arrived.wait(timeout=20)
            it.process.send_signal(signal.SIGTERM)
            assert eventually(lambda: is_refused(it.at.gateway))
            events = it.files.path / "events.log"
            assert eventually(lambda: events.exists() and '"seen"' in events.read_text())
            assert it.process.poll() is None
            may_answer.release()
            assert it.wait() == 0


def test_what_is_left_behind_is_cut_off_with_the_time_to_drain():
    arrived, may_answer = threading.Event(), threading.Semaphore(0)

    def hold(handler):
        arrived.set()
        may_answer.acquire(timeout=20)

    with Backend(text) as backend, Backend(hold) as aside:
        document = policies(
            f'<send-one-way-request><set-url>{aside.url}</set-url><set-method>GET</set-method>'
            '</send-one-way-request>'
        )
        apis = {"a": api(backend, policy="policy.xml")}
        with gateway({"policy.xml": document}, ["--drain", "200ms"], apis=apis) as it:
            assert plain(it.at.gateway)[0] == 200
            assert arrived.wait(timeout=20)
            assert it.stop() == 143
            assert "cut off" in it.text()
        may_answer.release()
