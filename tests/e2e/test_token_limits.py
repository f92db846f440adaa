"""`llm-token-limit`: real clients, 200 of them at once, two gateways that share a real Redis."""

import concurrent.futures
import contextlib
import http.server
import json
import threading
import time
import types

import openai
import pytest
import requests

from http_calls import eventually
from servers import Backend, api, chunk, folder, gateway, policies, read_all, text
from test_limits import Redis, run

# Thread after thread connects at the same moment.
http.server.ThreadingHTTPServer.request_queue_size = 256

PROMPT = 8
QUESTION = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hello"}]}


def limit(tokens, more="", estimate="false"):
    return (
        f"<llm-token-limit counter-key='k' tokens-per-minute='{tokens}' "
        f"estimate-prompt-tokens='{estimate}' remaining-tokens-header-name='x-left' {more} />"
    )


# With the openai client, against the stand-in.


@contextlib.contextmanager
def limited(dev, *arguments, **more):
    """A client of a gateway that limits the tokens of the stand-in's models."""
    models = types.SimpleNamespace(url=dev.azure_openai)
    files = {"p.xml": policies(limit(*arguments, **more))}
    with gateway(files, apis={"models": api(models, policy="p.xml")}) as process:
        client = openai.OpenAI(
            base_url=f"{process.at.gateway}/openai/v1/",
            api_key=dev.azure_openai_key,
            max_retries=0,
        )
        yield client


def say(client, words="hello", **more):
    messages = [{"role": "user", "content": words}]
    return client.chat.completions.create(model="gpt-4o", messages=messages, **more)


def left(client):
    """What is left, by a call that costs nothing."""
    raw = client.models.with_raw_response.list()
    return int(raw.headers["x-left"])


def test_a_plain_chat_is_charged_what_the_model_says(dev):
    with limited(dev, 1000, "tokens-consumed-header-name='x-used'") as client:
        raw = client.chat.completions.with_raw_response.create(**QUESTION)
        usage = raw.parse().usage
        assert raw.headers["x-used"] == str(usage.total_tokens)
        assert 0 <= int(raw.headers["x-left"]) - (1000 - usage.total_tokens) <= 50


def test_a_stream_is_charged_and_looks_as_if_nobody_had_asked(dev):
    with limited(dev, 600) as client:
        chunks = list(say(client, stream=True))
        assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == "You said: hello"
        assert all(it.usage is None for it in chunks)
        one = 600 - left(client)
        asked = list(say(client, stream=True, stream_options={"include_usage": True}))
        assert asked[-1].choices == []
        assert asked[-1].usage.total_tokens == one


def test_whoever_has_no_tokens_left_is_told_when_to_come_back(dev):
    with limited(dev, 10) as client:
        say(client)
        say(client)
        with pytest.raises(openai.RateLimitError) as refusal:
            say(client)
        assert "Token limit is exceeded. Try again in " in str(refusal.value)
        assert int(refusal.value.response.headers["retry-after"]) > 0
    with limited(dev, 20, estimate="true") as client:
        with pytest.raises(openai.RateLimitError) as refusal:
            say(client, "hello " * 100)
        assert refusal.value.response.headers.get("retry-after") is None


# With many clients, against a backend of the test's own.


def answer(completion):
    """A model that answers with so many tokens, after a while, and counts them."""
    passed = []

    def one(handler):
        body = json.loads(read_all(handler))
        time.sleep(0.02)
        tokens = {"prompt_tokens": PROMPT, "completion_tokens": completion}
        usage = {"usage": {**tokens, "total_tokens": PROMPT + completion}}
        passed.append(PROMPT + completion)
        if not body.get("stream"):
            text(handler, json.dumps({"choices": [], **usage}), Content_Type="application/json")
            return
        assert body["stream_options"] == {"include_usage": True}
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for event in [{"choices": [{"delta": {"content": "Hi"}}]}, {"choices": [], **usage}]:
            chunk(handler, f"data: {json.dumps(event)}\n\n".encode())
        chunk(handler, b"data: [DONE]\n\n")
        chunk(handler, b"")

    return one, passed


def load(gateways, n_clients, question):
    """Each client calls until it is refused; every other one asks for streams."""

    def client(number):
        url = f"{gateways[number % len(gateways)].at.gateway}/chat/completions"
        asked = {**question, "stream": True} if number % 4 > 1 else question
        with requests.Session() as session:
            while (reply := session.post(url, json=asked, timeout=60)).status_code == 200:
                assert "usage" not in reply.text or not asked.get("stream")
            return reply.status_code

    with concurrent.futures.ThreadPoolExecutor(n_clients) as pool:
        return set(pool.map(client, range(n_clients)))


@pytest.mark.parametrize("n_gateways", [1, 2])
@pytest.mark.parametrize("completion, told", [(12, 12), (40, None)])
def test_200_clients_at_once_stay_within_an_estimate_each(n_gateways, completion, told):
    n_tokens, n_clients = 12_000, 200
    question = {**QUESTION, **({"max_tokens": told} if told else {})}
    one_answer, passed = answer(completion)
    with contextlib.ExitStack() as stack:
        backend = stack.enter_context(Backend(one_answer))
        counters = {}
        if n_gateways > 1:
            counters = {"redis": stack.enter_context(Redis()).url, "timeout": "5s"}
        files = {"p.xml": policies(limit(n_tokens))}
        apis = {"a": api(backend, policy="p.xml")}
        it = stack.enter_context(folder(files, apis=apis, counters=counters))
        gateways = [stack.enter_context(run(it)) for _ in range(n_gateways)]
        since = time.monotonic()
        assert load(gateways, n_clients, question) == {429}
        # The bucket fills meanwhile.
        back = (time.monotonic() - since) * n_tokens / 60
        estimate = PROMPT + 1 + (told or 16)
        assert abs(sum(passed) - n_tokens - back / 2) < n_clients * estimate + back / 2
        if told:
            # Nobody is misjudged, so that nothing goes beyond the limit but the last call.
            assert sum(passed) < n_tokens + back + estimate, (sum(passed), back)
        assert all("cannot answer" not in it.text() for it in gateways)


def test_a_client_that_goes_away_pays_for_what_came():
    has_begun, goes_on = threading.Event(), threading.Event()

    def endless(handler):
        if handler.command == "GET":
            return text(handler, "{}", Content_Type="application/json")
        read_all(handler)
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        words = {"choices": [{"delta": {"content": "hello world " * 50}}]}
        with contextlib.suppress(OSError):
            chunk(handler, f"data: {json.dumps(words)}\n\n".encode())
            has_begun.set()
            while not goes_on.wait(0.05):
                chunk(handler, b": ping\n\n")

    with Backend(endless) as backend:
        files = {"p.xml": policies(limit(6000))}
        with gateway(files, apis={"a": api(backend, policy="p.xml")}) as process:
            url = process.at.gateway
            stream = requests.post(
                f"{url}/chat/completions", json={**QUESTION, "stream": True}, stream=True, timeout=60
            )
            next(stream.iter_content(10))
            assert has_begun.wait(20)
            stream.close()

            def is_charged():
                now = int(requests.get(f"{url}/", timeout=30).headers["x-left"])
                return now < 6000 - 50

            assert eventually(is_charged)
            goes_on.set()


def test_a_client_that_does_not_wait_for_the_answer_pays_what_was_expected():
    is_asked = threading.Event()

    def slow(handler):
        if handler.command == "GET":
            return text(handler, "{}", Content_Type="application/json")
        read_all(handler)
        is_asked.set()
        with contextlib.suppress(OSError):
            time.sleep(2)
            text(handler, "{}", Content_Type="application/json")

    with Backend(slow) as backend:
        files = {"p.xml": policies(limit(60))}
        with gateway(files, apis={"a": api(backend, policy="p.xml")}) as process:
            url = process.at.gateway
            with pytest.raises(requests.Timeout):
                requests.post(
                    f"{url}/chat/completions", json={**QUESTION, "max_tokens": 40}, timeout=0.5
                )
            assert is_asked.is_set()
            assert eventually(lambda: int(requests.get(f"{url}/").headers["x-left"]) < 20)


@pytest.mark.parametrize("on_failure, status", [("allow", 200), ("refuse", 503)])
def test_without_its_store_a_limit_does_as_it_is_told(on_failure, status):
    one_answer, _ = answer(10)
    with Redis() as redis, Backend(one_answer) as backend:
        counters = {"redis": redis.url, "on-store-failure": on_failure, "timeout": "5s"}
        files = {"p.xml": policies(limit(10))}
        with gateway(
            files, apis={"a": api(backend, policy="p.xml")}, counters=counters
        ) as process:
            ask = lambda: requests.post(
                f"{process.at.gateway}/chat/completions", json=QUESTION, timeout=30
            ).status_code
            assert eventually(lambda: ask() == 429)
            redis.kill()
            assert eventually(lambda: ask() == status)
            redis.start()
            assert eventually(lambda: ask() == 429)
