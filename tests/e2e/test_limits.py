"""Limits that several gateways share through a real Redis, and quotas that are kept on disk."""

import collections
import concurrent.futures
import datetime
import ipaddress
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from conftest import Process
from http_calls import eventually
from servers import LOCAL, folder, policies

ANSWER = "<return-response><set-status code='200' /></return-response>"
# With Redis away a request waits for nothing; this is what a busy machine may add.
LONGEST_SECONDS = 2.0


class Redis:
    """A `redis-server` on a port that the system chose, which forgets all when it is killed."""

    def __init__(self, *options, scheme="redis"):
        if shutil.which("redis-server") is None:
            pytest.skip("there is no redis-server on this machine")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"{scheme}://127.0.0.1:{self.port}"
        self.is_tls = scheme == "rediss"
        self.options = options
        self.start()

    def start(self):
        port = ["--port", "0", "--tls-port"] if self.is_tls else ["--port"]
        keep_nothing = ["--save", "", "--appendonly", "no", "--dir", tempfile.gettempdir()]
        self.process = subprocess.Popen(
            ["redis-server", *port, str(self.port), "--bind", "127.0.0.1", *keep_nothing]
            + list(self.options),
            stdout=subprocess.DEVNULL,
        )
        assert eventually(self.answers)

    def answers(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as it:
                if self.is_tls:
                    return True
                it.sendall(b"PING\r\n")
                return it.recv(5) in (b"+PONG", b"-NOAU")
        except OSError:
            return False

    def kill(self):
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()


@pytest.fixture
def redis():
    with Redis() as it:
        yield it


def limited(limit, **counters):
    """A configuration whose only API answers by itself behind a limit."""
    api = {"url": "http://127.0.0.1:9", "path": "", "key": False, "policy": "limit.xml"}
    files = {"limit.xml": policies(limit + ANSWER)}
    return folder(files, apis={"a": api}, counters=counters)


def rate(calls, more=""):
    return f"<rate-limit-by-key calls='{calls}' renewal-period='300' counter-key='k' {more} />"


def run(configuration, **env):
    return Process("run", str(configuration.path), *LOCAL, env=env)


def call(session, gateway):
    return session.get(f"{gateway.at.gateway}/", timeout=30).status_code


def load(gateways, n_clients, n_calls):
    """Statuses that each of so many clients of each gateway gets, counted."""

    def client(gateway):
        with requests.Session() as session:
            return [call(session, gateway) for _ in range(n_calls)]

    with concurrent.futures.ThreadPoolExecutor(n_clients * len(gateways)) as pool:
        clients = [pool.submit(client, it) for it in gateways for _ in range(n_clients)]
        return collections.Counter(status for it in clients for status in it.result())


@pytest.mark.parametrize("algorithm", ["sliding-window", "token-bucket"])
def test_two_gateways_never_pass_more_than_their_common_limit(redis, algorithm):
    settings = {"redis": {"env": "REDIS"}, "algorithm": algorithm, "timeout": "5s"}
    with limited(rate(100), **settings) as configuration:
        with run(configuration, REDIS=redis.url) as one, run(configuration, REDIS=redis.url) as two:
            since = time.monotonic()
            seen = load([one, two], n_clients=4, n_calls=40)
            # A bucket gives back one call every three seconds.
            back = (time.monotonic() - since) / 3 + 1 if algorithm == "token-bucket" else 0
            assert set(seen) == {200, 429}
            assert 100 <= seen[200] <= 100 + back, seen
            assert "cannot answer" not in one.text() + two.text()


def test_a_charge_at_the_end_lets_through_one_request_more_of_each_gateway(redis):
    condition = "increment-condition='@(context.Response.StatusCode == 200)'"
    with limited(rate(60, condition), redis=redis.url, timeout="5s") as configuration:
        with run(configuration) as one, run(configuration) as two:
            seen = load([one, two], n_clients=1, n_calls=60)
            assert 60 <= seen[200] <= 61, seen
            assert seen[429] == 120 - seen[200], seen


@pytest.mark.parametrize("on_failure, while_away", [("allow", 200), ("refuse", 503)])
def test_redis_is_killed_and_comes_back_in_the_middle_of_the_load(redis, on_failure, while_away):
    store = {"redis": redis.url, "on-store-failure": on_failure}
    with limited(rate(5), **store) as configuration:
        with run(configuration) as one, run(configuration) as two:
            gateways, seen, done = [one, two], [], threading.Event()

            def client(gateway):
                with requests.Session() as session:
                    while not done.is_set():
                        since = time.monotonic()
                        status = call(session, gateway)
                        seen.append((status, time.monotonic() - since))

            def all_answer(status):
                """Whether both gateways answer so, several times in a row."""
                return set(load(gateways, n_clients=1, n_calls=5)) == {status}

            threads = [threading.Thread(target=client, args=[it]) for it in gateways * 2]
            for thread in threads:
                thread.start()
            try:
                assert eventually(lambda: all_answer(429), seconds=30)
                redis.kill()
                assert eventually(lambda: all_answer(while_away), seconds=30)
                redis.start()
                assert eventually(lambda: all_answer(429), seconds=30)
            finally:
                done.set()
                for thread in threads:
                    thread.join()
            assert {status for status, _ in seen} <= {200, 429, while_away}
            slowest = max(seconds for _, seconds in seen)
            assert slowest < LONGEST_SECONDS, slowest
            for gateway in gateways:
                told = gateway.text()
                assert "the store of counters cannot answer" in told
                assert told.count("\n") < 60, "the log tells of changes, not of requests"
                metrics = requests.get(f"{gateway.at.admin}/metrics", timeout=30).text
                assert "portcullis_limit_store_failures_total " in metrics


def test_a_gateway_starts_without_redis_and_finds_it_later(redis):
    redis.kill()
    store = {"redis": redis.url, "on-store-failure": "refuse"}
    with limited(rate(1), **store) as configuration, run(configuration) as gateway:
        assert "does not answer; limited requests are refused" in gateway.text()
        session = requests.Session()
        assert call(session, gateway) == 503
        redis.start()
        assert eventually(lambda: call(session, gateway) == 429)


def test_the_password_of_redis_is_never_told(redis):
    url = redis.url.replace("//", "//:hunter2@")
    with limited(rate(1), redis={"env": "REDIS"}) as configuration:
        with run(configuration, REDIS=url, PORTCULLIS_LOG="debug") as gateway:
            call(requests.Session(), gateway)
            assert "hunter2" not in gateway.text() + gateway.output()


def certificates(folder):
    """A certificate authority, and a server's certificate for 127.0.0.1 with its key."""
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, it)]) for it in ("ca", "redis")]
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in names]
    now = datetime.datetime.now(datetime.timezone.utc)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    for name, key, of in zip(names, keys, ("ca", "server")):
        made = x509.CertificateBuilder(names[0], name, key.public_key(), 7 + (of == "ca"))
        made = made.not_valid_before(now - datetime.timedelta(1))
        made = made.not_valid_after(now + datetime.timedelta(1))
        made = made.add_extension(x509.BasicConstraints(of == "ca", None), critical=True)
        made = made.add_extension(address, critical=False).sign(keys[0], hashes.SHA256())
        (folder / f"{of}.pem").write_bytes(made.public_bytes(Encoding.PEM))
    plain = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "key.pem").write_bytes(keys[1].private_bytes(*plain))


def test_redis_is_reached_over_tls_with_a_password(tmp_path):
    certificates(tmp_path)
    files = {"--tls-cert-file": "server.pem", "--tls-key-file": "key.pem"}
    options = [it for name, file in files.items() for it in (name, str(tmp_path / file))]
    options += ["--tls-ca-cert-file", str(tmp_path / "ca.pem"), "--tls-auth-clients", "no"]
    with Redis(*options, "--requirepass", "hunter2", scheme="rediss") as redis:
        azure = f"127.0.0.1:{redis.port},password=hunter2,ssl=True,abortConnect=False"
        trusted = {"SSL_CERT_FILE": str(tmp_path / "ca.pem"), "REDIS": azure}
        store = {"redis": {"env": "REDIS"}, "on-store-failure": "refuse", "timeout": "5s"}
        with limited(rate(2), **store) as configuration:
            with run(configuration, **trusted) as gateway:
                assert load([gateway], 1, 3) == {200: 2, 429: 1}, gateway.text()
            # Nobody vouches for the server here.
            with run(configuration, REDIS=azure) as gateway:
                assert load([gateway], 1, 2) == {503: 2}, gateway.text()


def quota(calls):
    return f"<quota-by-key calls='{calls}' renewal-period='0' counter-key='k' />"


def test_quotas_on_disk_survive_a_restart_and_a_kill():
    with limited(quota(4), disk="data/quotas.redb") as configuration:
        with run(configuration) as gateway:
            assert set(load([gateway], 1, 2)) == {200}
            assert gateway.stop() == 0
        with run(configuration) as gateway:
            assert set(load([gateway], 1, 1)) == {200}
            # What was counted is written within a second.
            time.sleep(2.5)
            gateway.stop(signal.SIGKILL)
        with run(configuration) as gateway:
            assert load([gateway], 1, 3) == {200: 1, 403: 2}


def test_quotas_in_memory_are_said_to_be_lost():
    with limited(quota(1)) as configuration, run(configuration) as gateway:
        assert gateway.text().count("quotas are counted in memory") == 1


def test_a_store_that_cannot_be_had_keeps_the_gateway_from_starting():
    for counters, said in [
        ({"redis": {"env": "NOT_SET"}}, "environment variable `NOT_SET` is not set"),
        ({"redis": "http://h"}, "expected `redis://HOST:PORT`"),
        ({"disk": "limit.xml"}, "the file of quotas"),
    ]:
        with limited(rate(1), **counters) as configuration:
            with pytest.raises(AssertionError, match="did not start") as error:
                run(configuration)
            assert said in str(error.value)
