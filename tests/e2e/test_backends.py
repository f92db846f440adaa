"""Backends that share the work, and that are left alone when they fail."""

import collections
import contextlib
import threading

import requests

from http_calls import eventually, plain
from servers import Backend, gateway, read_all, text
from test_limits import Redis


class Member:
    """A backend that answers with its name, or with what it is told to."""

    def __init__(self, name):
        self.name = name
        self.failure = None
        self.n_calls = 0
        self.lock = threading.Lock()
        self.backend = Backend(self.answer)

    def answer(self, handler):
        read_all(handler)
        with self.lock:
            self.n_calls += 1
        if self.failure:
            status, headers = self.failure
            text(handler, f"{self.name} fails", status, **headers)
        else:
            text(handler, f"{self.name}{handler.headers.get('api-key', '')}")


RETRY = """<policies><inbound><base /><set-backend-service backend-id="models" /></inbound>
<backend><retry count="2" interval="0" first-fast-retry="true"
  condition="@(context.Response.StatusCode == 429 || (context.Response.StatusCode == 503 &amp;&amp; !context.Response.StatusReason.Contains(&quot;Backend pool&quot;)))">
  <forward-request buffer-request-body="true" /></retry></backend>
<outbound><base /><set-header name="x-backend"><value>@(context.Backend.Id)</value></set-header></outbound>
<on-error><base /><set-header name="x-reason"><value>@(context.LastError.Reason)</value></set-header></on-error></policies>"""

BREAKER = {"on": [429], "after": 1, "within": "1m", "open": "1m", "retry-after": True}


@contextlib.contextmanager
def pool(names, pool, policy=RETRY, **more):
    """A gateway whose API goes to the pool `models`: the process and the members."""
    with contextlib.ExitStack() as stack:
        members = {name: Member(name) for name in names}
        for it in members.values():
            stack.enter_context(it.backend)
        backends = {
            name: {"url": it.backend.url, "auth": {"header": "api-key", "value": f"-{name}"}}
            for name, it in members.items()
        }
        process = stack.enter_context(
            gateway(
                {"policy.xml": policy},
                backends={**backends, "models": {"pool": pool, **more}},
                apis={"a": {"backend": "models", "path": "", "key": False, "policy": "policy.xml"}},
            )
        )
        yield process, members


def test_turns_follow_the_weights_and_each_member_gets_its_own_credentials():
    shares = [{"backend": "a", "weight": 3}, {"backend": "b"}]
    with pool("ab", shares) as (it, _):
        bodies = collections.Counter(requests.get(it.at.gateway, timeout=20).text for _ in range(16))
    assert bodies == {"a-a": 12, "b-b": 4}


def test_a_busy_backend_is_left_alone_and_the_request_goes_on_elsewhere():
    groups = [{"backend": "ptu", "priority": 1}, {"backend": "paygo", "priority": 2}]
    with pool(["ptu", "paygo"], groups, breaker=BREAKER) as (it, members):
        ask = lambda: requests.post(it.at.gateway, data="the body", timeout=20)
        assert ask().text == "ptu-ptu"
        members["ptu"].failure = (429, {"Retry-After": "1"})
        answer = ask()
        assert (answer.status_code, answer.text) == (200, "paygo-paygo")
        assert answer.headers["x-backend"] == "paygo"
        n_calls = members["ptu"].n_calls
        assert ask().text == "paygo-paygo"
        assert members["ptu"].n_calls == n_calls
        members["ptu"].failure = None
        assert eventually(lambda: ask().text == "ptu-ptu")
        assert "the circuit breaker has tripped" in it.text()
        metrics = plain(it.at.admin, path="/metrics")[2].decode()
        assert "portcullis_breaker_trips_total 1" in metrics


def test_an_exhausted_pool_says_so_and_for_how_long():
    with pool("ab", ["a", "b"], breaker=BREAKER) as (it, members):
        for member in members.values():
            member.failure = (429, {"Retry-After": "40"})
        # The first call trips both, the third try finds nobody.
        for _ in range(2):
            answer = requests.get(it.at.gateway, timeout=20)
            assert answer.status_code == 503
            message = "Backend pool 'models' is temporarily unavailable."
            assert answer.reason == message
            assert answer.json() == {"statusCode": 503, "message": message}
            assert answer.headers["x-reason"] == "BackendPoolUnavailable"
            assert 30 < int(answer.headers["retry-after"]) <= 40
        assert [it.n_calls for it in members.values()] == [1, 1]


def test_a_session_stays_with_its_member():
    with pool("abc", ["a", "b", "c"], **{"session-cookie": "SessionId"}) as (it, _):
        with requests.Session() as session:
            first = session.get(it.at.gateway, timeout=20)
            cookie = first.headers["set-cookie"]
            assert cookie.startswith("SessionId=") and "HttpOnly" in cookie and "Secure" not in cookie
            again = [session.get(it.at.gateway, timeout=20) for _ in range(5)]
        assert {it.text for it in again} == {first.text}
        assert all("set-cookie" not in it.headers for it in again)
        others = {requests.get(it.at.gateway, timeout=20).text for _ in range(6)}
        assert others == {"a-a", "b-b", "c-c"}


def test_a_single_backend_is_left_alone_too():
    entity = {
        "properties": {
            "protocol": "http",
            "circuitBreaker": {
                "rules": [
                    {
                        "name": "r",
                        "failureCondition": {
                            "count": "2",
                            "interval": "PT1M",
                            "statusCodeRanges": [{"min": 500, "max": 599}],
                            "errorReasons": ["BackendConnectionFailure"],
                        },
                        "tripDuration": "PT1M",
                    }
                ]
            },
        }
    }
    member = Member("one")
    with member.backend as backend:
        entity["properties"]["url"] = backend.url
        api = {"backend": "one", "path": "a", "key": False}
        entities = {"backends/one/backendInformation.json": entity}
        with gateway(entities, ["--watch"], apis={"a": api}) as it:
            url = f"{it.at.gateway}/a"
            member.failure = (500, {})
            answers = [requests.get(url, timeout=20) for _ in range(3)]
            assert [it.status_code for it in answers] == [500, 500, 503]
            assert answers[2].json()["message"] == "Backend 'one' is temporarily unavailable."
            assert member.n_calls == 2
            # A reload that does not change the rule changes nothing.
            it.files.settings(apis={"a": api, "b": {**api, "path": "b"}})
            assert eventually(lambda: plain(it.at.gateway, path="/b")[0] == 503)
            assert requests.get(url, timeout=20).status_code == 503
            assert member.n_calls == 2


def test_two_gateways_leave_a_backend_alone_together():
    member = Member("one")
    breaker = {"on": ["5xx"], "after": 4, "within": "1m", "open": "1m"}
    with Redis() as redis, member.backend as backend:
        settings = {
            "backends": {"one": {"url": backend.url, "breaker": breaker}},
            "apis": {"a": {"backend": "one", "path": "", "key": False}},
            "counters": {"redis": redis.url, "breakers": "shared", "timeout": "5s"},
        }
        with gateway(**settings) as first, gateway(**settings) as second:
            ask = lambda it: requests.get(it.at.gateway, timeout=20).status_code
            told = "circuit breakers are shared"
            assert eventually(lambda: told in first.text() and told in second.text())
            member.failure = (500, {})
            assert [ask(first), ask(first), ask(second)] == [500, 500, 500]
            assert ask(second) == 500
            # Neither has seen too many failures by itself.
            assert eventually(lambda: ask(first) == ask(second) == 503)
            n_calls = member.n_calls
            assert (ask(first), ask(second), member.n_calls) == (503, 503, n_calls)
            for it in (first, second):
                assert "tripped for all gateways" in it.text()


def test_without_redis_each_gateway_decides_by_itself():
    member = Member("one")
    breaker = {"on": ["5xx"], "after": 2, "within": "1m", "open": "1m"}
    with Redis() as redis, member.backend as backend:
        settings = {
            "backends": {"one": {"url": backend.url, "breaker": breaker}},
            "apis": {"a": {"backend": "one", "path": "", "key": False}},
            "counters": {"redis": redis.url, "breakers": "shared"},
        }
        with gateway(**settings) as first, gateway(**settings) as second:
            ask = lambda it: requests.get(it.at.gateway, timeout=20).status_code
            told = "circuit breakers are shared"
            assert eventually(lambda: told in first.text() and told in second.text())
            redis.kill()
            away = "circuit breakers are not shared at present"
            assert eventually(lambda: away in first.text() and away in second.text())
            member.failure = (500, {})
            assert [ask(first) for _ in range(3)] == [500, 500, 503]
            assert ask(second) == 500
            # What still lasts is told when it is back.
            redis.start()
            assert eventually(lambda: ask(second) == 503)


def test_an_unhealthy_backend_is_left_alone_until_it_is_well():
    member = Member("a")
    check = {"path": "/status", "interval": "100ms", "unhealthy-after": 2, "healthy-after": 1}
    with member.backend as backend:
        backends = {"a": {"url": backend.url, "health-check": check}}
        apis = {"a": {"backend": "a", "path": "", "key": False}}
        with gateway(backends=backends, apis=apis) as it:
            ask = lambda: requests.get(it.at.gateway, timeout=20)
            assert ask().text == "a"
            member.failure = (500, {})
            assert eventually(lambda: ask().status_code == 503)
            assert ask().json()["message"] == "Backend 'a' is temporarily unavailable."
            member.failure = None
            assert eventually(lambda: ask().text == "a")
            assert "the backend is unhealthy" in it.text()


def test_a_call_that_gets_no_answer_goes_on_to_the_next_member():
    hang = threading.Event()

    def silent(handler):
        read_all(handler)
        handler.send_response(200)
        handler.send_header("content-type", "text/event-stream")
        handler.end_headers()
        handler.wfile.flush()
        hang.wait(20)

    with Backend(silent) as slow, Member("b").backend as quick:
        backends = {
            "gone": {"url": "http://127.0.0.1:9"},
            "slow": {"url": slow.url, "first-byte-timeout": "300ms"},
            "b": {"url": quick.url},
            "models": {
                "pool": [{"backend": it, "priority": n} for n, it in enumerate(["gone", "slow", "b"])],
                "fail-over": True,
            },
        }
        policy = """<policies><inbound><base /></inbound><backend>
            <forward-request buffer-request-body="true" /></backend><outbound><base /></outbound>
            <on-error><base /></on-error></policies>"""
        apis = {"a": {"backend": "models", "path": "", "key": False, "policy": "policy.xml"}}
        with gateway({"policy.xml": policy}, backends=backends, apis=apis) as it:
            answer = requests.post(it.at.gateway, data="the body", timeout=20)
            hang.set()
            assert (answer.status_code, answer.text) == (200, "b")
            metrics = plain(it.at.admin, path="/metrics")[2].decode()
            assert "portcullis_backend_fail_overs_total 2" in metrics
