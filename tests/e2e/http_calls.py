"""Plain HTTP calls, for what no SDK would send."""

import http.client
import socket
import time
import urllib.parse

import requests

PATH = "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21"
BODY = {"messages": [{"role": "user", "content": "hi"}]}


def chat(dev, api, **headers):
    """A chat completion through one of the example's APIs."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return requests.post(f"{dev.gateway}/{api}{PATH}", json=BODY, headers=named, timeout=30)


def control(url, method, action, body=None):
    """A control call to a stand-in, whose certificate does not matter here."""
    answer = requests.request(
        method, f"{url}/.simulator/{action}", json=body, verify=False, timeout=30
    )
    assert answer.status_code < 300, answer.text
    return answer


def fault(url, **fault):
    """Breaks a stand-in; without arguments, mends it."""
    control(url, "PUT", "fault", fault)


def eventually(holds, seconds=10):
    """Asks again until it holds, for a bounded time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.1)
    return False


def address(url):
    """Host and port of a URL."""
    parts = urllib.parse.urlsplit(url)
    return "127.0.0.1", parts.port


def connect(url):
    """A bare connection."""
    return socket.create_connection(address(url), timeout=20)


def raw(url, *parts):
    """Sends bytes as they are; gives all that comes until the other side closes."""
    with connect(url) as it:
        try:
            for part in parts:
                it.sendall(part if isinstance(part, bytes) else part.encode())
        except OSError:
            pass  # Refused while it was still being sent: the answer is what matters.
        received = b""
        try:
            while chunk := it.recv(65536):
                received += chunk
        except ConnectionResetError:
            pass
    return received


def status_of(answer):
    """The status of an answer's bytes; 0 without one."""
    words = answer.split(b" ", 2)
    return int(words[1]) if len(words) > 1 and words[0].startswith(b"HTTP/") else 0


def plain(url, method="GET", path="/", body=None, headers=None):
    """One call without a library's habits; gives status, headers and body."""
    it = http.client.HTTPConnection(*address(url), timeout=20)
    try:
        it.request(method, path, body=body, headers=headers or {})
        answer = it.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        it.close()
