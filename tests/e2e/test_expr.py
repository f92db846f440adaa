"""`portcullis expr`: from the command line, through a pipe, and at a terminal."""

import os
import pty
import select
import signal
import subprocess
import time

from conftest import PROGRAM
from http_calls import eventually, plain
from servers import Backend, api, gateway, policies, text


def call(*arguments, **options):
    return subprocess.run(
        [PROGRAM, "expr", *arguments], capture_output=True, text=True, timeout=60, **options
    )


class Terminal:
    """The program at a pseudo terminal, typed at and read as a person would."""

    def __init__(self, state, *arguments):
        self.text = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm", NO_COLOR="1", XDG_STATE_HOME=str(state))
            os.execv(PROGRAM, [PROGRAM, "expr", *arguments])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass
        os.close(self.fd)

    def read(self, wanted, then="", seconds=30):
        """Reads until one text is there, and behind it another; gives what came since the last call."""
        seen, end = "", time.monotonic() + seconds
        while then not in seen.partition(wanted)[2] or wanted not in seen:
            left = end - time.monotonic()
            ready, _, _ = select.select([self.fd], [], [], max(left, 0))
            assert ready, f"no {wanted!r} in {seen!r}"
            try:
                seen += os.read(self.fd, 65536).decode(errors="replace")
            except OSError:
                raise AssertionError(f"ended without {wanted!r}: {seen!r}") from None
        return seen

    def type(self, keys, wanted):
        os.write(self.fd, keys.encode())
        return self.read(wanted)

    def line(self, keys, wanted):
        """Types a whole line and waits for the next prompt: until then Ctrl-C would end the program."""
        os.write(self.fd, keys.encode() + b"\r")
        return self.read(wanted, then="> ")

    def leave(self):
        os.write(self.fd, b"\x04")
        _, status = os.waitpid(self.pid, 0)
        return os.waitstatus_to_exitcode(status)


def test_a_request_is_described_as_with_curl(tmp_path):
    done = call("-X", "PUT", "-H", "x-tier: gold", "--url", "/a?b=1", "-d", '{"a": [1, 2]}',
                "--var", "n:=40 + 2", '$"{context.Request.Method} {context.Request.Url.Path} '
                '{context.Request.Headers["x-tier"][0]} {(int)context.Variables["n"]} '
                '{context.Request.Body.As<JObject>()["a"][1]}"')
    assert (done.returncode, done.stdout) == (0, "System.String: PUT /a gold 42 2\n"), done.stderr
    message = tmp_path / "call.http"
    message.write_text("POST /orders HTTP/1.1\nhost: api.test\n\n{}")
    answer = tmp_path / "answer.http"
    answer.write_text("HTTP/1.1 429 Too Many Requests\nretry-after: 7\n\n")
    done = call("--request", str(message), "--response", str(answer),
                'context.Request.Url.Host + context.Response.StatusCode'
                ' + context.Response.Headers.GetValueOrDefault("Retry-After")')
    assert done.stdout == "System.String: api.test4297\n", done.stderr


def test_standard_input_is_read_expression_by_expression():
    lines = '1 + 1\n@{\n  var a = new[] { "x", "y" };\n  return a;\n}\n.var n = 5\n(int)context.Variables["n"]\n'
    done = call(input=lines)
    expected = 'System.Int32: 2\nSystem.String[], 2 items\n  "x"\n  "y"\nSystem.Int32: 5\n'
    assert (done.returncode, done.stdout) == (0, expected), done.stderr
    assert "> " not in done.stdout, "there is no prompt without a terminal"
    done = call(input="context.Request.Metod\nint.Parse(\"x\")\n1\n")
    assert done.returncode == 1 and "did you mean `Method`?" in done.stderr
    assert done.stdout.startswith("System.FormatException: ") and done.stdout.endswith("System.Int32: 1\n")
    assert "^^^^^" in done.stderr


def test_the_terminal_completes_hints_and_remembers(tmp_path):
    with Terminal(tmp_path) as it:
        it.read("> ")
        listed = it.type("context.Request.\t", "Url: IUrl")
        assert "Headers: IReadOnlyDictionary" in listed and "Method: string" in listed
        it.type("Meth\t", "Method")
        it.line("", "System.String: GET")
        it.type('"abc".Substring(', "string Substring(int startIndex)")
        it.line("1)", "System.String: bc")
        it.type("@{\r", "@{")
        it.type("return 6 * 7;\r", "7;")
        it.line("}", "System.Int32: 42")
        it.line(".var tries = 3", "tries = 3")
        it.type('(int)context.Variables["t\t', "tries")
        it.line('"]', "System.Int32: 3")
        it.line("1 / zero", "there is no variable or type `zero`")
        it.line(" 12345 // not kept", "System.Int32: 12345")
        # Ctrl-C drops the line, Ctrl-D leaves.
        it.type("half a line\x03", "> ")
        assert it.leave() == 0
    file = tmp_path / "portcullis" / "expr_history"
    kept = file.read_text().splitlines()
    assert kept[0] == "context.Request.Method" and "@{\\nreturn 6 * 7;\\n}" in kept
    assert not any("12345" in line for line in kept)
    assert file.stat().st_mode & 0o777 == 0o600
    with Terminal(tmp_path) as it:
        it.read("> ")
        it.type("\x1b[A", "1 / zero")
        it.type("\x15.quit\r", "\n")


def test_no_history_is_kept_if_none_is_wanted(tmp_path):
    with Terminal(tmp_path, "--no-history") as it:
        it.read("> ")
        it.line("1 + 1", "System.Int32: 2")
        assert it.leave() == 0
    assert not (tmp_path / "portcullis").exists()


def test_portcullis_yaml_chooses_the_runtime_and_the_bounds():
    sums = "<return-response><set-body>@((0.1 + 0.2).ToString())</set-body></return-response>"
    loop = "<return-response><set-body>@{ while (true) { } }</set-body></return-response>"
    with Backend(text) as backend:
        files = {"sums.xml": policies(sums), "loop.xml": policies(loop)}
        apis = {
            "sums": api(backend, path="sums", policy="sums.xml"),
            "loop": api(backend, path="loop", policy="loop.xml"),
        }
        for runtime, expected in [("modern", b"0.30000000000000004"), ("framework", b"0.3")]:
            expressions = {"runtime": runtime, "max-steps": 5000}
            with gateway(files, (), apis=apis, expressions=expressions) as it:
                assert plain(it.at.gateway, path="/sums")[2] == expected
                assert plain(it.at.gateway, path="/loop")[0] == 500
                assert eventually(lambda: "more steps than allowed" in it.output())


def test_what_an_expression_throws_is_logged_with_its_place():
    broken = "<set-header name=\"x\"><value>@{\n  var n = int.Parse(\"x\");\n  return n;\n}</value></set-header>"
    told = (
        '<set-header name="x-reason"><value>@(context.LastError.Reason)</value></set-header>'
        '<set-header name="x-message"><value>@(context.LastError.Message)</value></set-header>'
    )
    with Backend(text) as backend:
        files = {"p.xml": policies(broken, on_error=told)}
        with gateway(files, (), apis={"a": api(backend, policy="p.xml")}) as it:
            status, headers, body = plain(it.at.gateway)
            assert (status, headers["x-reason"]) == (500, "ExpressionValueEvaluationFailure")
            assert headers["x-message"].startswith("Expression evaluation failed. ")
            assert b"Internal server error" in body
            assert eventually(lambda: "System.FormatException at p.xml:2:11" in it.text())
