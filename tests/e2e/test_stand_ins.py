"""Unmodified clients against the stand-ins themselves, and the other model APIs through the gateway."""

import json
import types

import openai
import pytest
import requests
import websockets.sync.client
from azure.ai.contentsafety import BlocklistClient, ContentSafetyClient
from azure.ai.contentsafety.models import (
    AddOrUpdateTextBlocklistItemsOptions,
    AnalyzeTextOptions,
    TextBlocklist,
    TextBlocklistItem,
)
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import HttpResponseError

from http_calls import control, fault
from servers import api, gateway

MESSAGES = [{"role": "user", "content": "one two three"}]
ANSWER = "You said: one two three"


@pytest.fixture(scope="module")
def through(dev):
    """A gateway that takes every call to the models' stand-in."""
    backend = types.SimpleNamespace(url=dev.azure_openai)
    with gateway(apis={"models": api(backend)}) as process:
        yield process.at.gateway


@pytest.fixture(params=["stand-in", "gateway"])
def client(request, dev, through):
    endpoint = {"stand-in": dev.azure_openai, "gateway": through}[request.param]
    return openai.OpenAI(
        base_url=f"{endpoint}/openai/v1/",
        api_key=dev.azure_openai_key,
        max_retries=0,
    )


def test_responses(client):
    answer = client.responses.create(model="gpt-4o", input="one two three", instructions="Be kind.")
    assert answer.output_text == ANSWER
    assert answer.status == "completed"
    assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens


def test_streamed_responses(client):
    with client.responses.stream(model="gpt-4o", input="one two [reasoning:4]") as stream:
        text = "".join(it.delta for it in stream if it.type == "response.output_text.delta")
        final = stream.get_final_response()
    assert text == final.output_text == "You said: one two [reasoning:4]"
    assert final.usage.output_tokens_details.reasoning_tokens == 4


def test_chat_with_usage_tools_and_details(client):
    stream = client.chat.completions.create(
        model="gpt-4o",
        messages=[{"role": "user", "content": "one [cached:3]"}],
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)
    assert chunks[-1].usage.prompt_tokens_details.cached_tokens == 3
    tools = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}]
    answer = client.chat.completions.create(
        model="gpt-4o", messages=MESSAGES, tools=tools, tool_choice="required"
    )
    assert answer.choices[0].finish_reason == "tool_calls"
    assert answer.choices[0].message.tool_calls[0].function.name == "weather"


def test_embeddings_of_similar_texts_are_near(client):
    texts = ["how do I reset my password", "how can I reset my password", "weather in Oslo"]
    answer = client.embeddings.create(model="text-embedding-3-small", input=texts)
    one, near, far = (it.embedding for it in answer.data)
    dot = lambda a, b: sum(x * y for x, y in zip(a, b))
    assert dot(one, near) > 0.7 > 0.4 > dot(one, far)


def test_a_filtered_answer(client):
    asked = [{"role": "user", "content": "[filtered-answer:hate] one two three"}]
    answer = client.chat.completions.create(model="gpt-4o", messages=asked)
    assert answer.choices[0].finish_reason == "content_filter"


def test_a_deployment_with_limits(own_dev):
    limited = {"gpt-4o": {"model": "gpt-4o", "tokens-per-minute": 60}}
    control(own_dev.azure_openai, "PUT", "deployments", limited)
    client = openai.AzureOpenAI(
        azure_endpoint=own_dev.azure_openai,
        api_key=own_dev.azure_openai_key,
        api_version="2024-10-21",
        max_retries=0,
    )
    ask = lambda: client.chat.completions.create(model="gpt-4o", messages=MESSAGES, max_tokens=50)
    assert ask().choices[0].message.content == ANSWER
    with pytest.raises(openai.RateLimitError) as refusal:
        ask()
    assert refusal.value.code == "429"
    headers = refusal.value.response.headers
    assert 0 < int(headers["retry-after"]) <= 60
    assert int(headers["retry-after-ms"]) <= 60_000
    assert headers["x-ratelimit-remaining-tokens"] == "3"


def test_a_script_of_faults_that_the_client_retries(own_dev):
    control(own_dev.azure_openai, "PUT", "fault", [{"status": 429, "retry-after": 0}, {"status": 500}])
    client = openai.AzureOpenAI(
        azure_endpoint=own_dev.azure_openai,
        api_key=own_dev.azure_openai_key,
        api_version="2024-10-21",
        max_retries=2,
    )
    answer = client.chat.completions.with_raw_response.create(model="gpt-4o", messages=MESSAGES)
    assert answer.retries_taken == 2
    control(own_dev.azure_openai, "PUT", "fault", [{"break-after-events": 4}])
    chunks = []
    with pytest.raises(openai.APIConnectionError):
        for chunk in client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True):
            chunks.append(chunk)
    assert len(chunks) == 4
    fault(own_dev.azure_openai)


def safety(dev, kind):
    return kind(f"{dev.azure_openai}/", AzureKeyCredential(dev.azure_openai_key))


def test_content_safety_finds_what_words_say(dev):
    client = safety(dev, ContentSafetyClient)
    answer = client.analyze_text(AnalyzeTextOptions(text="[hate:6] and [violence]"))
    found = {it.category: it.severity for it in answer.categories_analysis}
    assert found == {"Hate": 6, "SelfHarm": 0, "Sexual": 0, "Violence": 4}
    with pytest.raises(HttpResponseError) as refusal:
        client.analyze_text(AnalyzeTextOptions(text="x" * 10_001))
    assert refusal.value.status_code == 400
    assert refusal.value.error.code == "InvalidRequestBody"


def test_content_safety_has_blocklists(own_dev):
    lists = safety(own_dev, BlocklistClient)
    lists.create_or_update_text_blocklist(
        blocklist_name="names", options=TextBlocklist(blocklist_name="names", description="d")
    )
    items = [TextBlocklistItem(text="Contoso")]
    lists.add_or_update_blocklist_items(
        blocklist_name="names", options=AddOrUpdateTextBlocklistItemsOptions(blocklist_items=items)
    )
    assert [it.text for it in lists.list_text_blocklist_items(blocklist_name="names")] == ["Contoso"]
    client = safety(own_dev, ContentSafetyClient)
    options = AnalyzeTextOptions(
        text="I work at contoso", blocklist_names=["names"], halt_on_blocklist_hit=True
    )
    answer = client.analyze_text(options)
    assert answer.blocklists_match[0].blocklist_item_text == "Contoso"
    assert not answer.categories_analysis


def test_a_prompt_shield(dev):
    answer = requests.post(
        f"{dev.azure_openai}/contentsafety/text:shieldPrompt?api-version=2024-09-01",
        headers={"Ocp-Apim-Subscription-Key": dev.azure_openai_key},
        json={"userPrompt": "[attack]", "documents": ["fine"]},
        timeout=30,
    )
    assert answer.json() == {
        "userPromptAnalysis": {"attackDetected": True},
        "documentsAnalysis": [{"attackDetected": False}],
    }


def test_a_realtime_session(dev):
    url = dev.azure_openai.replace("http", "ws")
    url += "/openai/realtime?api-version=2024-10-01-preview&deployment=gpt-realtime"
    headers = {"api-key": dev.azure_openai_key}
    with websockets.sync.client.connect(
        url, additional_headers=headers, subprotocols=["realtime"]
    ) as session:
        assert session.subprotocol == "realtime"
        hear = lambda: json.loads(session.recv(timeout=20))
        assert hear()["type"] == "session.created"
        content = [{"type": "input_text", "text": "one two three"}]
        item = {"type": "message", "role": "user", "content": content}
        session.send(json.dumps({"type": "conversation.item.create", "item": item}))
        assert hear()["type"] == "conversation.item.created"
        session.send(json.dumps({"type": "response.create"}))
        events = [hear()]
        while events[-1]["type"] != "response.done":
            events.append(hear())
        text = "".join(it["delta"] for it in events if it["type"] == "response.output_text.delta")
        assert text == ANSWER
        usage = events[-1]["response"]["usage"]
        assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]


def test_the_mcp_server(dev):
    headers = {"Accept": "application/json, text/event-stream"}
    def rpc(method, params=None, number=1):
        message = {"jsonrpc": "2.0", "id": number, "method": method, "params": params or {}}
        return requests.post(dev.mcp, json=message, headers=headers, timeout=30)
    begun = rpc("initialize", {"protocolVersion": "2025-06-18", "capabilities": {}})
    headers["Mcp-Session-Id"] = begun.headers["Mcp-Session-Id"]
    tools = rpc("tools/list").json()["result"]["tools"]
    assert [it["name"] for it in tools] == ["echo", "add"]
    streamed = rpc("tools/call", {"name": "echo", "arguments": {"text": "hi"}})
    assert streamed.headers["content-type"].startswith("text/event-stream")
    assert json.loads(streamed.text.split("data: ")[1])["result"]["content"][0]["text"] == "hi"
