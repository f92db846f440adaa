"""Servers of a test's own: backends that do what a function says, gateways on temporary folders."""

import contextlib
import http.server
import json
import pathlib
import tempfile
import threading

from conftest import Process

LOCAL = ("--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")


class Backend:
    """An HTTP server whose answers a function writes: answer(handler). `tls` is an SSLContext."""

    def __init__(self, answer, tls=None):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def any(self):
                answer(self)

            do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = any

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        if tls:
            # The handshake is made by the thread of the connection.
            self.server.socket = tls.wrap_socket(
                self.server.socket, server_side=True, do_handshake_on_connect=False
            )
        scheme, host = ("https", "localhost") if tls else ("http", "127.0.0.1")
        self.url = f"{scheme}://{host}:{self.server.server_address[1]}"
        serve = self.server.serve_forever
        self.thread = threading.Thread(target=serve, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def text(handler, body="ok", status=200, **headers):
    """A whole answer."""
    content = body.encode()
    handler.send_response(status)
    for name, value in {"Content-Length": str(len(content)), **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    if handler.command != "HEAD":
        handler.wfile.write(content)


def read_all(handler):
    """The whole body of a request."""
    if "chunked" not in handler.headers.get("transfer-encoding", ""):
        return handler.rfile.read(int(handler.headers.get("content-length", 0)))
    body = b""
    while size := int(handler.rfile.readline() or b"0", 16):
        body += handler.rfile.read(size + 2)[:-2]
    handler.rfile.readline()
    return body


def chunk(handler, data):
    """A part of a chunked answer, at once on its way; an empty one ends it."""
    handler.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
    handler.wfile.flush()


def policies(inbound="", outbound="", on_error=""):
    """A policy document with these statements."""
    return (
        f"<policies><inbound><base />{inbound}</inbound><backend><base /></backend>"
        f"<outbound><base />{outbound}</outbound><on-error><base />{on_error}</on-error></policies>"
    )


class Folder:
    """A configuration in a temporary folder."""

    def __init__(self, path):
        self.path = pathlib.Path(path)

    def write(self, name, content):
        """Writes a file whole or not at all; a dictionary becomes JSON, which is YAML, too."""
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_name(file.name + "~")
        partial.write_text(content if isinstance(content, str) else json.dumps(content))
        partial.rename(file)

    def settings(self, **settings):
        self.write("portcullis.yaml", settings)


@contextlib.contextmanager
def folder(files=None, **settings):
    """A temporary folder with these files and this portcullis.yaml."""
    with tempfile.TemporaryDirectory(prefix="portcullis-test-") as path:
        it = Folder(path)
        for name, content in (files or {}).items():
            it.write(name, content)
        it.settings(**settings)
        yield it


@contextlib.contextmanager
def gateway(files=None, arguments=(), env=None, **settings):
    """A gateway that runs on such a folder."""
    with folder(files, **settings) as it:
        with Process("run", str(it.path), *LOCAL, *arguments, env=env) as process:
            process.files = it
            yield process


def api(backend, **more):
    """An API that needs no key and takes every call to the backend."""
    return {"url": backend.url, "path": "", "key": False, **more}
