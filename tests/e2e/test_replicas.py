"""One configuration for several gateways, in a real PostgreSQL."""

import contextlib
import json
import os
import random
import signal
import subprocess
import threading
import time

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError

from conftest import PROGRAM, Process
from database import Postgres
from http_calls import eventually, plain
from servers import LOCAL, Folder, folder
from test_management import ID, answers, create, managed

HELLO = "apis/hello"


@pytest.fixture(scope="module")
def server():
    it = Postgres()
    yield it
    it.close()


_numbers = iter(range(1000))


@pytest.fixture
def url(server):
    """A database of its own on the server, which runs."""
    if server.process.poll() is not None:
        server.start()
    name = f"configuration{next(_numbers)}"
    assert server.ask(f"CREATE DATABASE {name}") == "CREATE DATABASE"
    return server.url.replace("/postgres", f"/{name}").replace("postgres://", "postgres://", 1)


def rows(server, url, query):
    """What a query in that database gives."""
    command = [str(server.bin / "psql"), url, "-AtX", "-c", query]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=server.folder, env=server.env(),
        **server.as_user,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def configuration(it, stamp, n_more=0):
    """An API that answers with a stamp from its policy, a named value and a fragment."""
    it.write(f"{HELLO}/apiInformation.json", {"properties": {
        "displayName": "hello", "path": "", "subscriptionRequired": False, "protocols": ["http"],
    }})
    it.write(f"{HELLO}/operations/any/operationInformation.json", {"properties": {
        "displayName": "any", "method": "GET", "urlTemplate": "/*",
    }})
    it.write("named values/stamp/namedValueInformation.json", {"properties": {
        "displayName": "stamp", "value": f"{stamp}",
    }})
    it.write("policy fragments/stamp/policy.xml",
             f"<fragment><set-variable name='fragment' value='{stamp}' /></fragment>")
    it.write("policy fragments/stamp/policyFragmentInformation.json", {"properties": {}})
    it.write(f"{HELLO}/policy.xml", f"""
        <policies><inbound><base /><include-fragment fragment-id="stamp" />
        <return-response><set-status code="200" />
        <set-body>@("{stamp} {{{{stamp}}}} " + context.Variables["fragment"])</set-body>
        </return-response></inbound></policies>""")
    for n in range(n_more):
        it.write(f"policy fragments/more{n}/policy.xml",
                 f"<fragment><set-variable name='more' value='{stamp}' /></fragment>")
        it.write(f"policy fragments/more{n}/policyFragmentInformation.json", {"properties": {}})
    return it


@contextlib.contextmanager
def gateway(url, **more):
    """A gateway of that database, with a folder and a local copy of its own."""
    with folder(store=url, **more) as it:
        with Process("run", str(it.path), *LOCAL) as process:
            process.files = it
            yield process


def config(way, path, url=None, arguments=(), env=None):
    """`portcullis config push` or `pull`."""
    settings = ()
    if url is not None:
        file = Folder(path).path.with_name(Folder(path).path.name + ".settings.yaml")
        file.write_text(json.dumps({"store": url}))
        settings = ("--settings", str(file))
    return subprocess.run(
        [PROGRAM, "config", way, str(path), *settings, *arguments],
        capture_output=True, text=True, timeout=60, env={**os.environ, **(env or {})},
    )


def push(it, url):
    done = config("push", it.path, url)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def body(process):
    return plain(process.at.gateway, path="/x")[2].decode()


def says(stamp):
    return f"{stamp} {stamp} {stamp}"


def readiness(process):
    status, _, content = plain(process.at.admin, path="/readyz")
    return status, json.loads(content)


def follows(process, stamp, seconds=10):
    """How long it took until a gateway has answered with this stamp."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        if body(process) == says(stamp):
            return time.monotonic() - began
        time.sleep(0.01)
    raise AssertionError(f"{body(process)}, not {stamp}: {process.text()}")


def test_two_gateways_follow_a_change_within_a_second(url):
    with folder() as it, gateway(url) as one, gateway(url) as two:
        (it.path / "portcullis.yaml").unlink()
        assert "no configuration yet" in one.text()
        assert plain(one.at.gateway, path="/x")[0] == 404
        assert push(configuration(it, "v1"), url) == "6 files written, 0 removed; version 1"
        for process in (one, two):
            assert follows(process, "v1") < 1
        for n in range(2, 6):
            push(configuration(it, f"v{n}"), url)
            for process in (one, two):
                assert follows(process, f"v{n}") < 1
        # Only what is new is read: a file that goes, goes everywhere.
        assert push(it, url) == "nothing to change"
        store = {"version": "5", "from": "postgres"}
        assert eventually(lambda: readiness(one) == (200, {"status": "ready", "store": store}))
        configuration(it, "v6", n_more=3)
        push(it, url)
        assert follows(two, "v6") < 1
        for n in range(3):
            (it.path / f"policy fragments/more{n}/policy.xml").unlink()
            (it.path / f"policy fragments/more{n}/policyFragmentInformation.json").unlink()
        assert push(it, url) == "0 files written, 6 removed; version 7"
        assert eventually(lambda: readiness(two)[1]["store"]["version"] == "7")
        with folder() as other:
            done = config("pull", other.path, url)
            assert done.returncode == 0, done.stderr
            pulled = {str(p.relative_to(other.path)) for p in other.path.rglob("*.xml")}
            assert pulled == {f"{HELLO}/policy.xml", "policy fragments/stamp/policy.xml"}


def test_what_has_errors_is_not_pushed(url):
    with folder() as it, gateway(url) as process:
        push(configuration(it, "v1"), url)
        follows(process, "v1")
        it.write("policy.xml", "<policies><inbound><no-such-policy /></inbound></policies>")
        done = config("push", it.path, url)
        assert (done.returncode, done.stdout) == (1, "") and "no-such-policy" in done.stderr
        assert readiness(process)[1]["store"]["version"] == "1"


def test_an_error_that_reaches_the_database_keeps_the_last_good_configuration(server, url):
    with folder() as it, gateway(url) as process:
        push(configuration(it, "v1"), url)
        follows(process, "v1")
        rows(server, url, "UPDATE portcullis_configuration_file SET text = '<', version = 2"
             f" WHERE name = '{HELLO}/policy.xml'")
        rows(server, url, "UPDATE portcullis_configuration SET version = 2")
        rows(server, url, "NOTIFY portcullis_configuration")
        assert eventually(lambda: "lastReload" in readiness(process)[1])
        assert body(process) == says("v1")
        # The local copy is that of the last good one.
        copy = json.loads((process.folder / "configuration.json").read_text())
        assert copy["version"] == 1
        push(configuration(it, "v2"), url)
        follows(process, "v2")


def test_an_outage_is_told_and_what_was_missed_is_caught_up(server, url):
    with folder() as it, gateway(url) as process:
        push(configuration(it, "v1"), url)
        follows(process, "v1")
        server.stop()
        assert eventually(lambda: "problem" in readiness(process)[1]["store"])
        status, told = readiness(process)
        assert (status, told["status"], told["store"]["version"]) == (200, "ready", "1")
        assert "away" in told["store"]["problem"]
        assert body(process) == says("v1")
        server.start()
        push(configuration(it, "v2"), url)
        follows(process, "v2", seconds=5)
        assert eventually(lambda: "problem" not in readiness(process)[1]["store"])


def test_without_the_database_a_gateway_starts_from_its_copy(server, url):
    with folder(store=url) as own, folder() as it:
        copy = own.path / "copy.json"
        own.settings(store={"postgres": url, "copy": str(copy)})
        push(configuration(it, "v1"), url)
        with Process("run", str(own.path), *LOCAL) as process:
            follows(process, "v1")
            assert eventually(copy.exists)
            assert copy.stat().st_mode & 0o777 == 0o600
        server.stop()
        with Process("run", str(own.path), *LOCAL) as process:
            assert body(process) == says("v1")
            told = readiness(process)[1]["store"]
            assert (told["version"], told["from"]) == ("1", "copy")
            assert "away" in told["problem"] and "local copy" in process.text()
            server.start()
            push(configuration(it, "v2"), url)
            follows(process, "v2", seconds=5)
            assert eventually(lambda: readiness(process)[1]["store"]["from"] == "postgres")
        server.stop()
        copy.write_text(copy.read_text().replace("v2", "v3"))
        with pytest.raises(AssertionError, match="damaged"):
            Process("run", str(own.path), *LOCAL)
        server.start()


def test_an_empty_database_does_not_take_a_configuration_away(server, url):
    with folder() as it, gateway(url) as process:
        push(configuration(it, "v1"), url)
        follows(process, "v1")
        rows(server, url, "UPDATE portcullis_configuration SET id = 'other', version = 0")
        rows(server, url, "DELETE FROM portcullis_configuration_file")
        rows(server, url, "NOTIFY portcullis_configuration")
        assert eventually(lambda: "known one stays" in readiness(process)[1]["store"].get("problem", ""))
        assert body(process) == says("v1")


def test_tables_of_another_version_are_refused(server, url):
    with folder() as it:
        push(configuration(it, "v1"), url)
        rows(server, url, "UPDATE portcullis_configuration SET schema = 2")
        with pytest.raises(AssertionError, match="has tables of version 2; this portcullis knows 1"):
            with gateway(url):
                pass
        done = config("push", configuration(it, "v2").path, url)
        assert done.returncode == 4 and "tables of version 2" in done.stderr
        assert rows(server, url, "SELECT version FROM portcullis_configuration") == "1"


def test_of_two_writers_one_has_a_conflict_and_none_is_lost(server, url):
    with folder() as a, folder() as b:
        push(configuration(a, "v0", n_more=40), url)
        done = []

        def write(it, stamp):
            configuration(it, stamp, n_more=40)
            done.append((stamp, config("push", it.path, url)))

        for n in range(4):
            del done[:]
            before = int(rows(server, url, "SELECT version FROM portcullis_configuration"))
            threads = [threading.Thread(target=write, args=(it, f"{name}{n}"))
                       for name, it in (("a", a), ("b", b))]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            for stamp, it in done:
                assert it.returncode in (0, 1), it.stderr
                assert (it.returncode == 1) == ("has changed since it was read" in it.stderr)
            n_written = sum(it.returncode == 0 for _, it in done)
            assert n_written >= 1
            after = int(rows(server, url, "SELECT version FROM portcullis_configuration"))
            assert after == before + n_written
            assert len(stamps(server, url)) == 1


def stamps(server, url):
    """The stamps of all files: one, if no write is there in part."""
    found = rows(server, url, "SELECT DISTINCT substring(text from 'value=''([^'']*)''') FROM "
                 "portcullis_configuration_file WHERE text LIKE '<fragment>%'")
    return found.split()


def test_a_writer_that_is_killed_leaves_the_old_or_the_new_state(server, url):
    with folder() as it, gateway(url) as process:
        push(configuration(it, "v0", n_more=100), url)
        settings = it.path / "settings.yaml"
        outcomes = set()
        chance = random.Random(6)
        began = time.monotonic()
        push(configuration(it, "w", n_more=100), url)
        usual = time.monotonic() - began
        for n in range(12):
            configuration(it, f"k{n}", n_more=100)
            file = it.path.with_name(it.path.name + ".settings.yaml")
            file.write_text(json.dumps({"store": url}))
            writer = subprocess.Popen(
                [PROGRAM, "config", "push", str(it.path), "--settings", str(file)],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )
            time.sleep(usual * chance.uniform(0.3, 1.0))
            writer.send_signal(signal.SIGKILL)
            writer.wait()
            # Whatever was on its way when the connection broke off is done or not.
            assert eventually(lambda: rows(
                server, url, "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' "
                "AND application_name = 'portcullis'") == "0")
            found = stamps(server, url)
            assert len(found) == 1, found
            outcomes.add(found[0] == f"k{n}")
            # The server is killed, too: it comes back with one of the two states.
            if n % 4 == 3:
                server.stop()
                server.start()
                assert stamps(server, url) == found
        push(configuration(it, "end", n_more=100), url)
        follows(process, "end", seconds=5)
        assert not settings.exists() and outcomes


def test_a_password_is_never_shown(server):
    secret = "hunter2-of-the-database"
    address = f"postgres://gateway:{secret}@127.0.0.1:1/nowhere"
    with folder(store={"postgres": {"env": "DATABASE_URL"}}) as it:
        configuration(it, "v1")
        done = subprocess.run(
            [PROGRAM, "-vv", "run", str(it.path), *LOCAL], capture_output=True, text=True,
            timeout=60, env={**os.environ, "DATABASE_URL": address},
        )
        assert done.returncode == 4
        assert "127.0.0.1:1" in done.stderr and secret not in done.stderr + done.stdout
    with folder(store=address) as it:
        done = subprocess.run([PROGRAM, "validate", str(it.path)], capture_output=True, text=True)
        assert done.returncode == 1 and "stands in the file" in done.stdout
        assert secret not in done.stdout + done.stderr


def test_a_management_call_at_one_gateway_is_obeyed_by_the_others(url):
    with managed(store=url) as one, managed(store=url) as two:
        api = {"displayName": "Hello", "path": "hello", "protocols": ["http"], "subscriptionRequired": False}
        create(one.of("api"), ["hello"], api)
        create(one.of("api_operation"), ["hello", "any"], {"displayName": "A", "method": "GET", "urlTemplate": "/*"})
        policies = lambda it: it.of("api_policy")
        for n in range(5):
            properties = {"format": "rawxml", "value": answers(f"answer {n}")}
            create(policies(one), ["hello", "policy"], properties)
            assert one.call("hello/x") == (200, f"answer {n}")
            began = time.monotonic()
            assert eventually(lambda: two.call("hello/x") == (200, f"answer {n}"))
            assert time.monotonic() - began < 1
        # Both see the same version; who changes it second with the old one is told.
        seen = {it.raw("GET", f"{ID}/apis/hello").headers["ETag"] for it in (one, two)}
        assert len(seen) == 1
        (etag,) = seen
        change = lambda it, text: it.of("api").update(
            "hello", if_match=etag, parameters={"properties": {"description": text}})
        change(two, "of the second")
        with pytest.raises(HttpResponseError) as refused:
            change(one, "of the first")
        assert refused.value.status_code == 412
        assert one.of("api").get("hello").description == "of the second"


def test_no_management_call_is_lost_though_two_gateways_write(url):
    with managed(store=url) as one, managed(store=url) as two:
        def write(it, prefix):
            for n in range(15):
                # Who loses too often to others is told so, and tries again.
                for _ in range(50):
                    with contextlib.suppress(ResourceExistsError):
                        create(it.of("tag"), [f"{prefix}{n}"], {"displayName": f"{prefix} {n}"})
                        break

        threads = [threading.Thread(target=write, args=arguments) for arguments in ((one, "a"), (two, "b"))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        expected = sorted(f"{prefix}{n}" for prefix in "ab" for n in range(15))
        for it in (one, two):
            names = lambda: sorted(entry.name for entry in it.of("tag").list_by_service())
            assert eventually(lambda: names() == expected), names()
