"""A thousand changes of the configuration while requests and long streams go on."""

import http.client
import threading
import time

import psutil
import requests

from servers import Backend, chunk, text
from test_management import ID, TOKEN, create, managed

N_RELOADS = 1_000
N_CALLERS = 3
N_STREAMS = 3
N_CHUNKS = 40
# What an allocator may keep, in bytes.
MARGIN = 24 * 1024 * 1024

FRAGMENT = '<fragment><set-variable name="of-fragment" value="{{v}}" /></fragment>'
POLICY = """<policies><inbound><base /><include-fragment fragment-id="f" />
<set-variable name="of-inbound" value="{{v}}" /></inbound><backend><base /></backend>
<outbound><base /><set-header name="x-seen" exists-action="override"><value>@(
  (string)context.Variables["of-fragment"] + " " + (string)context.Variables["of-inbound"] + " {{v}}")</value></set-header>
</outbound><on-error><base /></on-error></policies>"""


def answer(handler):
    """A short answer, or chunks that come slowly."""
    if not handler.path.startswith("/stream"):
        # Time for a change between inbound and outbound.
        time.sleep(0.005)
        return text(handler, "short")
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    for n in range(N_CHUNKS):
        chunk(handler, b"%d " % n)
        time.sleep(0.02)
    chunk(handler, b"")


class Load:
    """Callers and streams that go on until they are told to stop."""

    def __init__(self, at):
        self.host = at.gateway.removeprefix("http://")
        self.is_over = threading.Event()
        self.problems, self.seen, self.n_short, self.n_streams = [], set(), 0, 0
        kinds = [self.short] * N_CALLERS + [self.stream] * N_STREAMS
        self.threads = [threading.Thread(target=self.run, args=(kind,)) for kind in kinds]

    def run(self, kind):
        connection = http.client.HTTPConnection(self.host, timeout=30)
        try:
            while not self.is_over.is_set():
                kind(connection)
        except Exception as problem:
            self.problems.append(repr(problem))
        finally:
            connection.close()

    def ask(self, connection, path):
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        values = (answer.headers["x-seen"] or "").split()
        if answer.status != 200 or len(values) != 3 or len(set(values)) != 1:
            self.problems.append((path, answer.status, values, body))
        self.seen.update(values)
        return body

    def short(self, connection):
        if self.ask(connection, "/echo/short") != b"short":
            self.problems.append("a short answer is another one")
        self.n_short += 1

    def stream(self, connection):
        if self.ask(connection, "/echo/stream") != b"".join(b"%d " % n for n in range(N_CHUNKS)):
            self.problems.append("a stream is not whole")
        self.n_streams += 1

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        for thread in self.threads:
            thread.join()


def change(it, session, value):
    sent = {"properties": {"displayName": "v", "value": value}}
    answer = session.put(
        f"{it.at.management}{ID}/namedValues/v",
        params={"api-version": "2024-05-01"},
        json=sent,
        headers={"Authorization": f"Bearer {TOKEN}"},
        verify=it.at.ca_file,
        timeout=30,
    )
    assert answer.status_code == 200, answer.text


def test_a_thousand_changes_disturb_no_request_and_leave_no_memory_behind():
    api = {"properties": {"displayName": "Echo", "path": "echo", "protocols": ["http"], "subscriptionRequired": False}}
    get = {"properties": {"displayName": "Get", "method": "GET", "urlTemplate": "/*"}}
    with Backend(answer) as backend:
        api["properties"]["serviceUrl"] = backend.url
        files = {
            "apis/echo/apiInformation.json": api,
            "apis/echo/operations/get/operationInformation.json": get,
        }
        with managed(files) as it, requests.Session() as session:
            create(it.of("named_value"), ["v"], {"displayName": "v", "value": "v-first"})
            create(it.of("policy_fragment"), ["f"], {"format": "rawxml", "value": FRAGMENT})
            create(it.of("api_policy"), ["echo", "policy"], {"format": "rawxml", "value": POLICY})
            memory = psutil.Process(it.process.process.pid).memory_info
            with Load(it.at) as load:
                for n in range(N_RELOADS // 10):
                    change(it, session, f"v-warm-{n}")
            assert load.problems == []
            before = memory().rss
            with Load(it.at) as load:
                for n in range(N_RELOADS):
                    change(it, session, f"v-{n}")
            assert load.problems == []
            # The load met many of them, and the last one counts.
            assert load.n_short > N_RELOADS / 10 and load.n_streams >= N_STREAMS
            assert len(load.seen) > N_RELOADS / 20, len(load.seen)
            assert requests.get(f"{it.at.gateway}/echo/short", timeout=30).headers["x-seen"].split() == [f"v-{N_RELOADS - 1}"] * 3
            grown = memory().rss - before
            assert grown < MARGIN, f"{grown >> 20} MiB more than before"
            print(f"{load.n_short} requests, {load.n_streams} streams, {grown >> 10} KiB more")
