"""The unmodified OpenAI client through the gateway, on each of the example's APIs."""

import asyncio

import openai
import pytest

from conftest import RESOURCE

MESSAGES = [{"role": "user", "content": "one two three"}]
ANSWER = "You said: one two three"


def key_client(dev, api="openai-key", kind=openai.AzureOpenAI):
    return kind(
        azure_endpoint=f"{dev.gateway}/{api}",
        api_key=dev.subscription_key,
        api_version="2024-10-21",
        max_retries=0,
    )


def token_client(dev, api, token, kind=openai.AzureOpenAI):
    return kind(
        azure_endpoint=f"{dev.gateway}/{api}",
        azure_ad_token=token,
        api_version="2024-10-21",
        max_retries=0,
    )


@pytest.fixture(params=["openai-key", "openai-identity", "openai-jwt", "openai-entra"])
def client(request, dev, mint):
    if request.param in ("openai-key", "openai-identity"):
        return key_client(dev, request.param)
    return token_client(dev, request.param, mint("--audience", RESOURCE))


def test_a_chat_completion(client):
    answer = client.chat.completions.create(model="gpt-4o", messages=MESSAGES)
    assert answer.choices[0].message.content == ANSWER
    assert answer.usage.total_tokens > 0


def test_a_streamed_chat_completion(client):
    stream = client.chat.completions.create(
        model="gpt-4o", messages=MESSAGES, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == ANSWER
    assert chunks[-1].usage.total_tokens > 0


def test_embeddings(client):
    answer = client.embeddings.create(model="text-embedding-3-small", input=["a", "b"])
    assert [len(it.embedding) for it in answer.data] == [1536, 1536]


def test_the_asynchronous_client(dev):
    async def calls():
        async with key_client(dev, kind=openai.AsyncAzureOpenAI) as client:
            whole = await client.chat.completions.create(model="gpt-4o", messages=MESSAGES)
            stream = await client.chat.completions.create(
                model="gpt-4o", messages=MESSAGES, stream=True
            )
            parts = [c.choices[0].delta.content or "" async for c in stream if c.choices]
            many = await asyncio.gather(
                *(client.chat.completions.create(model="gpt-4o", messages=MESSAGES) for _ in range(20))
            )
        return whole, "".join(parts), many

    whole, streamed, many = asyncio.run(calls())
    assert whole.choices[0].message.content == streamed == ANSWER
    assert {it.choices[0].message.content for it in many} == {ANSWER}


def test_the_plain_client_on_the_v1_surface(dev):
    client = openai.OpenAI(
        base_url=f"{dev.gateway}/openai-key/openai/v1/",
        api_key="unused",
        default_headers={"api-key": dev.subscription_key},
        max_retries=0,
    )
    answer = client.chat.completions.create(model="gpt-4o", messages=MESSAGES)
    assert answer.choices[0].message.content == ANSWER


def test_a_wrong_key_is_an_authentication_error(dev):
    client = openai.AzureOpenAI(
        azure_endpoint=f"{dev.gateway}/openai-key",
        api_key="wrong",
        api_version="2024-10-21",
        max_retries=0,
    )
    with pytest.raises(openai.AuthenticationError) as refusal:
        client.chat.completions.create(model="gpt-4o", messages=MESSAGES)
    assert "invalid subscription key" in str(refusal.value)


def test_a_wrong_token_is_a_permission_error(dev, mint):
    client = token_client(dev, "openai-entra", mint("--forge", "wrong-key"))
    with pytest.raises(openai.PermissionDeniedError) as refusal:
        client.chat.completions.create(model="gpt-4o", messages=MESSAGES)
    assert "Forbidden" in str(refusal.value)


def test_the_backends_errors_come_through(client):
    with pytest.raises(openai.NotFoundError) as refusal:
        client.chat.completions.create(model="no-such-deployment", messages=MESSAGES)
    assert refusal.value.code == "DeploymentNotFound"
    with pytest.raises(openai.BadRequestError) as refusal:
        client.chat.completions.create(
            model="gpt-4o", messages=[{"role": "user", "content": "[filtered]"}]
        )
    assert refusal.value.code == "content_filter"


def test_a_stream_that_the_client_leaves_hurts_nobody(client):
    long = [{"role": "user", "content": "word " * 200}]
    stream = client.chat.completions.create(model="gpt-4o", messages=long, stream=True)
    next(iter(stream))
    stream.close()
    again = client.chat.completions.create(model="gpt-4o", messages=MESSAGES)
    assert again.choices[0].message.content == ANSWER
