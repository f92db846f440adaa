"""The semantic cache with the openai client, against the stand-ins."""

import contextlib
import types

import openai
import pytest
import requests

from database import Postgres
from http_calls import control, eventually
from servers import Backend, api, gateway, policies, read_all, text

LOOKUP = """
<llm-semantic-cache-lookup score-threshold="0.3" embeddings-backend-id="embeddings"
    embeddings-backend-auth="system-assigned" ignore-system-messages="true" />
"""
STORE = '<llm-semantic-cache-store duration="60" />'


@contextlib.contextmanager
def cached(dev, lookup=LOOKUP, settings=None, **more):
    """A gateway that keeps answers."""
    models = types.SimpleNamespace(url=dev.azure_openai)
    embeddings = {
        "url": f"{dev.azure_openai}/openai/deployments/text-embedding-3-small",
        "auth": {"header": "api-key", "value": dev.azure_openai_key},
    }
    files = {"p.xml": policies(lookup, STORE)}
    apis = {"models": api(models, policy="p.xml", **more)}
    backends = {"embeddings": embeddings}
    with gateway(files, apis=apis, backends=backends, **(settings or {})) as process:
        yield openai.OpenAI(
            base_url=f"{process.at.gateway}/openai/v1/", api_key=dev.azure_openai_key, max_retries=0
        )


def say(client, text, **more):
    messages = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": text}]
    return client.chat.completions.create(model="gpt-4o", messages=messages, **more)


def test_a_question_of_the_same_meaning_is_answered_once(dev):
    with cached(dev) as client:
        first = say(client, "how do I reset my password")
        again = say(client, "how can I reset my password")
        assert again.id == first.id
        assert again.choices[0].message.content == "You said: how do I reset my password"
        other = say(client, "weather in Oslo tomorrow")
        assert other.choices[0].message.content == "You said: weather in Oslo tomorrow"
        warm = say(client, "how do I reset my password", temperature=1)
        assert warm.id != first.id


def test_a_stream_is_answered_by_a_stream(dev):
    with cached(dev) as client:
        def streamed(text):
            chunks = list(say(client, text, stream=True, stream_options={"include_usage": True}))
            said = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
            return chunks[-1].id, said, chunks[-1].usage.total_tokens
        first = streamed("how do I reset my password")
        assert first[1] == "You said: how do I reset my password"
        assert streamed("how can I reset my password") == first
        whole = say(client, "how do I reset my password")
        assert whole.id != first[0]


def test_an_answer_that_breaks_off_is_not_kept(own_dev):
    with cached(own_dev) as client:
        script = [{}, {"break-after-events": 3}]
        steps = [{"path": "/chat/", **it} for it in script[1:]]
        control(own_dev.azure_openai, "PUT", "fault", steps)
        try:
            list(say(client, "one two three", stream=True))
        except openai.APIConnectionError:
            pass
        chunks = list(say(client, "one two three", stream=True))
        said = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
        assert said == "You said: one two three"


def test_without_embeddings_every_question_is_asked(own_dev):
    with cached(own_dev) as client:
        down = {"path": "/embeddings", "status": 500}
        control(own_dev.azure_openai, "PUT", "fault", down)
        assert say(client, "one").id != say(client, "one").id
        requests.delete(f"{own_dev.azure_openai}/.simulator/fault", timeout=20)
        assert say(client, "one").id == say(client, "one").id


@pytest.fixture
def postgres():
    it = Postgres()
    yield it
    it.close()


def in_database(postgres, **bounds):
    return {"ai": {"semantic-cache": {"postgres": postgres.url, **bounds}}}


def n_kept(postgres):
    return postgres.ask("SELECT count(*) FROM portcullis_semantic_cache")


def test_gateways_share_answers_in_a_database(dev, postgres):
    settings = in_database(postgres)
    with cached(dev, settings=settings) as one, cached(dev, settings=settings) as two:
        first = say(one, "how do I reset my password")
        assert eventually(lambda: n_kept(postgres) == "1")
        again = say(two, "how can I reset my password")
        assert again.id == first.id
        assert again.choices[0].message.content == "You said: how do I reset my password"
        assert say(two, "weather in Oslo tomorrow").id != first.id
        assert say(two, "how do I reset my password", temperature=1).id != first.id
        chunks = list(say(one, "tell me a joke", stream=True))
        assert eventually(lambda: n_kept(postgres) == "4")
        assert list(say(two, "tell me a joke", stream=True))[-1].id == chunks[-1].id
    with cached(dev, settings=settings) as three:
        assert say(three, "how do I reset my password").id == first.id


def test_an_entry_in_a_database_is_gone_when_its_time_is_over(dev, postgres):
    with cached(dev, settings=in_database(postgres)) as client:
        first = say(client, "one")
        assert eventually(lambda: n_kept(postgres) == "1")
        assert say(client, "one").id == first.id
        postgres.ask("UPDATE portcullis_semantic_cache SET expires = now()")
        assert say(client, "one").id != first.id


def test_a_database_holds_no_more_than_it_may(dev, postgres):
    with cached(dev, settings=in_database(postgres, entries=3)) as client:
        # Bounds are looked at when the first answer is written, and every 64 from then on.
        postgres_rows = "SELECT 'x', '[1]', 200, '', 5, now() + interval '1 day'"
        say(client, "one")
        assert eventually(lambda: n_kept(postgres) == "1")
        postgres.ask(
            "INSERT INTO portcullis_semantic_cache"
            " (partition, embedding, status, body, n_bytes, expires)"
            f" {postgres_rows} FROM generate_series(1, 50)"
        )
    with cached(dev, settings=in_database(postgres, entries=3)) as client:
        say(client, "two")
        assert eventually(lambda: n_kept(postgres) == "3")


def test_without_its_database_a_gateway_asks_and_goes_on_when_it_is_back(dev, postgres):
    with cached(dev, settings=in_database(postgres)) as client:
        first = say(client, "one")
        assert eventually(lambda: n_kept(postgres) == "1")
        postgres.stop()
        assert say(client, "one").id != first.id
        postgres.start()
        assert eventually(lambda: say(client, "one").id == first.id)


@pytest.mark.parametrize(
    "own, expected",
    [
        (None, [None, "gateway's"]),
        ({"header": "api-key", "value": "own-key"}, [None, "gateway's"]),
        ({"header": "Authorization", "value": "Bearer own-token"}, ["Bearer own-token"]),
    ],
)
def test_the_gateways_identity_is_tried_only_where_the_entity_sends_no_authorization(dev, own, expected):
    seen = []

    def embeddings(handler):
        read_all(handler)
        seen.append(handler.headers.get_all("authorization"))
        is_good = seen[-1] is not None and "own-token" not in seen[-1][0]
        text(handler, '{"data":[{"embedding":[1,0]}]}' if is_good else "{}", 200 if is_good else 401)

    def model(handler):
        read_all(handler)
        text(handler, '{"choices":[{"message":{"content":"hi"}}]}', content_type="application/json")

    with Backend(embeddings) as cells, Backend(model) as models:
        entity = {"url": cells.url, **({"auth": own} if own else {})}
        files = {"p.xml": policies(LOOKUP, STORE)}
        env = {"AZURE_POD_IDENTITY_AUTHORITY_HOST": dev.imds}
        apis = {"a": api(models, policy="p.xml")}
        with gateway(files, env=env, apis=apis, backends={"embeddings": entity}) as it:
            def ask():
                body = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}
                answer = requests.post(f"{it.at.gateway}/v1/chat/completions", json=body, timeout=20)
                assert answer.status_code == 200

            ask()
            assert all(it is None or len(it) == 1 for it in seen), "one header, never two"
            shown = ["gateway's" if it and it[0].startswith("Bearer ey") else it and it[0] for it in seen]
            assert shown == expected
            ask()
            more = len(seen) - len(expected)
            assert more == 1, "the token is sent at once from then on"
