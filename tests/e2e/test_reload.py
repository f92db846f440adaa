"""Changing the configuration under a running gateway, and starting with a bad one."""

import itertools
import json
import os
import subprocess
import threading

import pytest

from conftest import PROGRAM, Process
from http_calls import address, eventually, plain
from servers import LOCAL, Backend, api, folder, gateway, policies, text

WATCH = ("--watch",)


def named(name):
    return Backend(lambda handler: text(handler, name))


def body(process, **headers):
    return plain(process.at.gateway, headers=headers)[2].decode()


def readiness(process):
    status, _, content = plain(process.at.admin, path="/readyz")
    return status, json.loads(content)


def test_a_good_edit_takes_effect_and_a_bad_one_does_not():
    with named("one") as one, named("two") as two:
        files = {"p.xml": policies()}
        with gateway(files, WATCH, apis={"a": api(one, policy="p.xml")}) as it:
            assert body(it) == "one"
            it.files.settings(apis={"a": api(two, policy="p.xml")})
            assert eventually(lambda: body(it) == "two")

            it.files.write("p.xml", policies("<no-such-policy />"))
            assert eventually(lambda: "lastReload" in readiness(it)[1])
            status, told = readiness(it)
            # The gateway works: it is ready, and says what is wrong.
            assert (status, told["status"]) == (200, "ready")
            assert "p.xml" in told["lastReload"] and "no-such-policy" in told["lastReload"]
            assert "PC0401" in it.text() and "p.xml:1:" in it.text()
            assert body(it) == "two"

            it.files.write("p.xml", policies())
            assert eventually(lambda: readiness(it) == (200, {"status": "ready"}))
            assert body(it) == "two"


def test_hosts_lead_elsewhere_after_an_edit():
    def settings(backend, **more):
        host = "%s:%d" % address(backend.url)
        return {
            "apis": {"a": {"url": "http://backend.test", "path": "", "key": False}},
            "hosts": {"backend.test": host},
            **more,
        }

    with named("one") as one, named("two") as two:
        with gateway(None, WATCH, **settings(one)) as it:
            assert body(it) == "one"
            it.files.settings(**settings(two))
            assert eventually(lambda: body(it) == "two")

            bad = settings(one, hosts={"backend.test": {"address": "x:1", "ca": "none.pem"}})
            it.files.settings(**bad)
            assert eventually(lambda: "none.pem" in readiness(it)[1].get("lastReload", ""))
            assert body(it) == "two"

            it.files.settings(**settings(one, listen=":1"))
            assert eventually(lambda: body(it) == "one")
            assert eventually(lambda: "`listen` of portcullis.yaml changed: restart" in it.text())


def test_a_broken_settings_file_keeps_the_gateway_going():
    with named("one") as one, gateway(None, WATCH, apis={"a": api(one)}) as it:
        for content, why in (
            ("apis: [", "portcullis.yaml"),
            ("lisen: ':1'\n", "did you mean `listen`?"),
            ("apis: { a: { url: 'ftp://x', path: '' } }\n", "ftp"),
        ):
            it.files.write("portcullis.yaml", content)
            assert eventually(lambda: why in it.text()), (content, it.text())
            assert body(it) == "one"
        os.remove(it.files.path / "portcullis.yaml")
        assert body(it) == "one"
        it.files.settings(apis={"a": api(one)})
        assert eventually(lambda: readiness(it) == (200, {"status": "ready"}))


def test_no_request_fails_while_the_configuration_changes():
    with named("same") as backend:
        def tagged(number):
            value = f'<set-header name="x-tag"><value>{number}</value></set-header>'
            return policies(outbound=value)

        files = {"p.xml": tagged(0)}
        with gateway(files, WATCH, apis={"a": api(backend, policy="p.xml")}) as it:
            is_over, failures, seen = threading.Event(), [], set()

            def call():
                while not is_over.is_set():
                    status, headers, content = plain(it.at.gateway)
                    seen.add(headers["x-tag"])
                    if (status, content) != (200, b"same"):
                        failures.append((status, content))

            callers = [threading.Thread(target=call) for _ in range(4)]
            for caller in callers:
                caller.start()
            try:
                for number in range(1, 8):
                    it.files.write("p.xml", tagged(number))
                    assert eventually(lambda: str(number) in seen)
            finally:
                is_over.set()
                for caller in callers:
                    caller.join()
            assert not failures


def test_a_key_in_a_file_is_rotated():
    with named("in") as backend:
        settings = {
            "apis": {"a": {"url": backend.url, "path": ""}},
            "keys": {"acme": {"file": "key.txt"}},
        }
        with gateway({"key.txt": "first-key\n"}, WATCH, **settings) as it:
            def status(key):
                return plain(it.at.gateway, headers={"Ocp-Apim-Subscription-Key": key})[0]

            assert (status("first-key"), status("second-key")) == (200, 401)
            it.files.write("key.txt", "second-key")
            assert eventually(lambda: status("second-key") == 200)
            assert status("first-key") == 401
            assert "second-key" not in it.text() + it.output()


def run(*arguments, **options):
    return subprocess.run(
        [PROGRAM, *arguments], capture_output=True, text=True, timeout=60, **options
    )


def test_a_port_in_use_is_told():
    with named("one") as one, gateway(apis={"a": api(one)}) as it:
        for flag, taken in (("--listen", it.at.gateway), ("--admin", it.at.admin)):
            place = "%s:%d" % address(taken)
            flags = {"--listen": "127.0.0.1:0", "--admin": "127.0.0.1:0", flag: place}
            done = run("run", str(it.files.path), *itertools.chain(*flags.items()))
            assert done.returncode == 4, done
            assert place in done.stderr and "in use" in done.stderr.lower()
        # The first one is not disturbed.
        assert body(it) == "one"


@pytest.mark.parametrize(
    "content,code,said",
    [
        (policies("<no-such-policy />"), 1, "PC0401"),
        ("<policies><inbound>", 1, "PC01"),
        (policies('<set-header name="{{absent}}"><value>x</value></set-header>'), 1, "absent"),
        (policies('<set-body>@(context.Nope)</set-body>'), 1, "Nope"),
        (policies("<sql-data-source />"), 1, "PC0413"),
    ],
)
def test_a_bad_policy_does_not_start(content, code, said):
    settings = {"apis": {"a": {"url": "http://x.test", "path": "", "policy": "p.xml"}}}
    with folder({"p.xml": content}, **settings) as it:
        done = run("run", str(it.path), *LOCAL)
    assert (done.returncode, said in done.stderr, done.stdout) == (code, True, ""), done.stderr
    assert "p.xml:1:" in done.stderr


@pytest.mark.parametrize(
    "arguments,code",
    [
        (["run", "/no/such/folder"], 3),
        (["run", "--no-such-flag"], 2),
        (["run", ".", "--listen", "nonsense"], 2),
        (["run", ".", "--named-value", "nonsense"], 2),
        (["run", ".", "--drain", "soon"], 2),
        (["run", ".", "--env-file", "/no/such/file"], 3),
        (["run", ".", "--tls-listen", "127.0.0.1:0"], 2),
        (["run", ".", "--tls-listen", "127.0.0.1:0", "--tls-cert", "/no", "--tls-key", "/no"], 3),
        (["run", ".", "--env", "none"], 1),
        (["validate", "/no/such/folder"], 3),
        (["validate", "--explain", "PC9999"], 2),
        (["simulate", "nothing"], 2),
        (["no-such-command"], 2),
        ([], 2),
    ],
    ids=lambda it: " ".join(it) if isinstance(it, list) else None,
)
def test_exit_codes_are_those_of_the_documentation(arguments, code):
    # `.` is a good configuration, so that only the argument in question is wrong.
    with folder(apis={"a": {"url": "http://x.test", "path": ""}}) as it:
        local = LOCAL if arguments[:1] == ["run"] and "--listen" not in arguments else ()
        done = run(*arguments, *local, cwd=it.path)
    assert done.returncode == code, done
    assert done.stderr and "panicked" not in done.stderr
    assert done.stdout == ""


SECRET = "hunter2-hunter2"


@pytest.mark.parametrize(
    "value",
    [
        {"env": "NOT_SET"},
        {"file": "no/such/file"},
        {"file": "folder"},
        {"keyvault": f"https://{SECRET}.vault.test/secrets/x"},
    ],
    ids=lambda it: next(iter(it)),
)
def test_a_named_value_that_cannot_be_read_is_named(value):
    settings = {
        "named-values": {"the-value": value, "other": {"file": "other.txt"}},
        "hosts": {"*.vault.test": "127.0.0.1:9", "169.254.169.254": "127.0.0.1:9"},
        "apis": {"a": {"url": "http://x.test", "path": "", "policy": "p.xml"}},
    }
    statement = '<set-header name="a"><value>{{the-value}}{{other}}</value></set-header>'
    files = {"p.xml": policies(statement), "other.txt": SECRET, "folder/x": ""}
    with folder(files, **settings) as it:
        done = run("run", str(it.path), *LOCAL, "-vv")
    assert done.returncode == 1, done.stderr
    assert "the-value" in done.stderr
    assert SECRET not in done.stdout + done.stderr.replace(f"{SECRET}.vault.test", "")


def test_a_secret_never_stands_in_a_message():
    # The value ends up where it makes every statement wrong, so that messages quote around it.
    statements = (
        '<set-status code="{{s}}" reason="x" /><set-method>{{s}} {{s}}</set-method>'
        '<set-variable name="{{s}}" value="@({{s}} + nope)" />'
        '<set-backend-service base-url="{{s}}" /><include-fragment fragment-id="{{s}}" />'
        '<set-header name="{{s}} {{s}}" exists-action="{{s}}"><value>@(1 + "{{s}}".Nope)</value>'
        "</set-header>"
    )
    settings = {
        "named-values": {"s": {"file": "s.txt"}},
        "apis": {"a": {"url": "http://x.test", "path": "", "policy": "p.xml"}},
    }
    with folder({"p.xml": policies(statements), "s.txt": SECRET}, **settings) as it:
        for command in (["run", str(it.path), *LOCAL, "-vv"], ["validate", str(it.path)]):
            for more in ([], ["--color", "always"]):
                done = run(*command, *more)
                assert done.returncode == 1, done
                assert SECRET not in done.stdout + done.stderr
        for form in ("json", "sarif", "github", "junit"):
            done = run("validate", str(it.path), "--format", form)
            assert SECRET not in done.stdout + done.stderr


def test_a_gateway_without_watch_does_not_change():
    with named("one") as one, named("two") as two, gateway(apis={"a": api(one)}) as it:
        it.files.settings(apis={"a": api(two)})
        assert {body(it) for _ in range(20)} == {"one"}


def test_a_dry_run_listens_nowhere():
    with folder(apis={"a": {"url": "http://x.test", "path": ""}}) as it:
        done = run("run", str(it.path), "--dry-run", *LOCAL)
        assert done.returncode == 0, done.stderr
        with Process("run", str(it.path), *LOCAL, "--pid-file", str(it.path / "pid")) as process:
            assert int((it.path / "pid").read_text()) == process.process.pid
