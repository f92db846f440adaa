"""A unified model API: the unmodified OpenAI client, models of several providers behind."""

import contextlib
import json

import openai
import pytest
import requests

from http_calls import eventually
from servers import Backend, chunk, gateway, policies, read_all, text

KEY = "local-key-1234567890"
PROVIDER_KEY = "provider-secret-1234"
TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}


class Provider:
    """Notes what it is asked and answers what it is told to: (status, document) or a list of events."""

    def __init__(self, *answers):
        self.answers, self.calls = list(answers), []
        self.backend = Backend(self.answer)

    def answer(self, handler):
        body = json.loads(read_all(handler) or b"null")
        self.calls.append((handler.path, {k.lower(): v for k, v in handler.headers.items()}, body))
        told = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(told, tuple):
            return text(handler, json.dumps(told[1]), told[0], Content_Type="application/json")
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for event in told:
            chunk(handler, event.encode())
        chunk(handler, b"")


def openai_says(words, model="gpt-4o-2024"):
    message = {"role": "assistant", "content": words}
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return 200, {"id": "c1", "object": "chat.completion", "created": 1, "model": model, "choices": [choice], "usage": usage}


def claude_says(*blocks, reason="end_turn"):
    usage = {"input_tokens": 10, "output_tokens": 5}
    return 200, {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-x-1", "content": list(blocks), "stop_reason": reason, "usage": usage}


def claude_streams(*deltas, ends=True):
    event = lambda **it: f"event: {it['type']}\ndata: {json.dumps(it)}\n\n"
    yield event(type="message_start", message={"id": "msg_1", "model": "claude-x-1", "usage": {"input_tokens": 10, "output_tokens": 1}})
    yield event(type="content_block_start", index=0, content_block={"type": "text", "text": ""})
    for it in deltas:
        yield event(type="content_block_delta", index=0, delta={"type": "text_delta", "text": it})
    if ends:
        yield event(type="message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 5})
        yield event(type="message_stop")


@contextlib.contextmanager
def unified(gpt, claude, inbound="", outbound="", **more):
    """Two providers, three models: `gpt`, `claude`, and `best`, which is the first that answers."""
    to = lambda it, name: {"url": it.backend.url + name, "auth": {"header": "x-api-key", "value": "{{provider-key}}"}}
    settings = {
        "named-values": {"provider-key": {"env": "PROVIDER_KEY"}},
        "backends": {"oai": to(gpt, "/openai/v1"), "ant": to(claude, "")},
        "apis": {"llm": {"path": "llm/v1", "policy": "llm.xml", "models": {
            "gpt": {"model": "gpt-4o", "backend": "oai"},
            "claude": {"model": "claude-x", "format": "anthropic", "backend": "ant", "max-tokens": 99},
            "best": [{"model": "claude-x", "format": "anthropic", "backend": "ant"}, {"model": "gpt-4o", "backend": "oai"}],
        }}},
        "keys": {"team": {"env": "TEAM_KEY"}},
        **more,
    }
    env = {"PROVIDER_KEY": PROVIDER_KEY, "TEAM_KEY": KEY}
    with gpt.backend, claude.backend, gateway({"llm.xml": policies(inbound, outbound)}, env=env, **settings) as process:
        process.client = openai.OpenAI(base_url=f"{process.at.gateway}/llm/v1", api_key=KEY, max_retries=0)
        yield process


def ask(process, model, words="hello", **more):
    return process.client.chat.completions.create(model=model, messages=[{"role": "user", "content": words}], **more)


def test_one_client_speaks_to_models_of_two_providers():
    gpt, claude = Provider(openai_says("from gpt")), Provider(claude_says({"type": "text", "text": "from claude"}))
    with unified(gpt, claude) as process:
        assert [it.id for it in process.client.models.list()] == ["gpt", "claude", "best"]
        assert process.client.models.retrieve("claude").id == "claude"
        assert ask(process, "gpt").choices[0].message.content == "from gpt"
        answer = ask(process, "claude", temperature=0.5)
        assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == ("from claude", "stop")
        assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.model) == (10, 5, "claude-x-1")

        [(path, headers, body)] = gpt.calls
        assert (path, body["model"], headers["x-api-key"]) == ("/openai/v1/chat/completions", "gpt-4o", PROVIDER_KEY)
        [(path, headers, body)] = claude.calls
        assert (path, headers["x-api-key"], headers["anthropic-version"]) == ("/v1/messages", PROVIDER_KEY, "2023-06-01")
        assert body == {"model": "claude-x", "max_tokens": 99, "temperature": 0.5, "messages": [{"role": "user", "content": [{"type": "text", "text": "hello"}]}]}
        for provider in (gpt, claude):
            # The client's key is the gateway's: no provider sees it.
            assert KEY not in str(provider.calls) and "authorization" not in provider.calls[0][1]


def test_tools_go_there_and_back():
    claude = Provider(
        claude_says({"type": "tool_use", "id": "t1", "name": "weather", "input": {"city": "Oslo"}}, reason="tool_use"),
        claude_says({"type": "text", "text": "Rain."}),
    )
    with unified(Provider((500, {})), claude) as process:
        asked = [{"role": "user", "content": "Weather in Oslo?"}]
        first = process.client.chat.completions.create(model="claude", messages=asked, tools=[TOOL])
        [call] = first.choices[0].message.tool_calls
        assert (first.choices[0].finish_reason, call.function.name, json.loads(call.function.arguments)) == ("tool_calls", "weather", {"city": "Oslo"})
        answered = [*asked, first.choices[0].message, {"role": "tool", "tool_call_id": call.id, "content": "rain"}]
        last = process.client.chat.completions.create(model="claude", messages=answered, tools=[TOOL])
        assert last.choices[0].message.content == "Rain."
        assert [it["role"] for it in claude.calls[1][2]["messages"]] == ["user", "assistant", "user"]
        assert claude.calls[1][2]["messages"][2]["content"][0]["tool_use_id"] == "t1"


def test_streams_are_written_anew_and_their_tokens_are_counted():
    limit = '<llm-token-limit counter-key="all" token-quota="1000" token-quota-period="Yearly" estimate-prompt-tokens="false" remaining-quota-tokens-header-name="x-left" />'
    claude = Provider(list(claude_streams("Hel", "lo")))
    with unified(Provider(openai_says("x")), claude, limit) as process:
        chunks = list(ask(process, "claude", stream=True))
        assert "".join(it.choices[0].delta.content or "" for it in chunks if it.choices) == "Hello"
        # The client did not ask for the usage, so it does not see it; the limit has it.
        assert all(it.choices and not it.usage for it in chunks)
        assert chunks[-1].choices[0].finish_reason == "stop"
        told = list(ask(process, "claude", stream=True, stream_options={"include_usage": True}))
        assert (told[-1].usage.prompt_tokens, told[-1].usage.completion_tokens) == (10, 5)
        left = process.client.chat.completions.with_raw_response.create(model="gpt", messages=[{"role": "user", "content": "x"}])
        assert left.headers["x-left"] == str(1000 - 15 - 15 - 7)


def test_a_stream_that_breaks_off_says_so():
    with unified(Provider(openai_says("x")), Provider(list(claude_streams("Hel", ends=False)))) as process:
        with pytest.raises(openai.APIError, match="broke off"):
            list(ask(process, "claude", stream=True))


def test_the_next_model_is_asked_where_one_fails():
    gpt = Provider(openai_says("from gpt"))
    overloaded = (529, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}})
    bad = (400, {"type": "error", "error": {"type": "invalid_request_error", "message": "max_tokens: too large"}})
    claude = Provider(overloaded, overloaded, bad, claude_says({"type": "text", "text": "from claude"}))
    with unified(gpt, claude) as process:
        assert ask(process, "best").choices[0].message.content == "from gpt"
        with pytest.raises(openai.InternalServerError) as failed:
            ask(process, "claude")
        assert (failed.value.status_code, failed.value.body["message"], failed.value.body["type"]) == (503, "Overloaded", "overloaded_error")
        with pytest.raises(openai.BadRequestError) as refused:
            ask(process, "best")
        assert refused.value.body["message"] == "max_tokens: too large"
        assert ask(process, "best").choices[0].message.content == "from claude"
        assert len(gpt.calls) == 1
        # What only the second can do is asked of it.
        assert ask(process, "best", n=2).choices[0].message.content == "from gpt"
        assert len(claude.calls) == 4 and gpt.calls[-1][2]["n"] == 2


def test_the_next_model_is_asked_where_one_is_not_there():
    claude = Provider(claude_says())
    with unified(Provider(openai_says("from gpt")), claude) as process:
        claude.backend.__exit__()
        assert ask(process, "best").choices[0].message.content == "from gpt"


def test_what_cannot_be_asked_is_refused_as_the_client_expects():
    with unified(Provider(openai_says("x")), Provider(claude_says())) as process:
        with pytest.raises(openai.NotFoundError) as unknown:
            ask(process, "gpt-5")
        assert (unknown.value.code, unknown.value.param) == ("model_not_found", "model")
        with pytest.raises(openai.BadRequestError) as refused:
            ask(process, "claude", n=2)
        assert refused.value.param == "n"
        url = f"{process.at.gateway}/llm/v1/chat/completions"
        assert requests.post(url, json={"model": "gpt"}).status_code == 401
        headers = {"Authorization": f"Bearer {KEY}"}
        assert requests.post(url, data="{", headers=headers).json()["error"]["param"] == "model"
        assert requests.post(f"{process.at.gateway}/llm/v1/embeddings", json={}, headers=headers).status_code == 404


def test_a_policy_cannot_send_models_elsewhere():
    with unified(Provider(openai_says("x")), Provider(claude_says()), '<set-backend-service base-url="http://127.0.0.1:1" />') as process:
        with pytest.raises(openai.InternalServerError):
            ask(process, "gpt")


def test_policies_see_chat_completions_on_both_sides():
    inbound = '<set-header name="x-extra"><value>@((string)context.Request.Body.As<JObject>(preserveContent: true)["model"])</value></set-header>'
    claude = Provider(claude_says({"type": "text", "text": "hi"}))
    outbound = '<set-header name="x-said"><value>@((string)context.Response.Body.As<JObject>(preserveContent: true)["choices"][0]["message"]["content"])</value></set-header>'
    with unified(Provider(openai_says("x")), claude, inbound, outbound) as process:
        answer = process.client.chat.completions.with_raw_response.create(model="claude", messages=[{"role": "user", "content": "x"}])
        assert answer.headers["x-said"] == "hi" and claude.calls[0][1]["x-extra"] == "claude"


def test_prompts_and_completions_are_logged_as_the_client_sees_them():
    claude = Provider(list(claude_streams("Hel", "lo")))
    logs = {"logs": "enabled", "requests": {"messages": "all"}, "responses": {"messages": "all"}}
    more = {
        "loggers": {"prompts": {"file": "prompts.log", "buffered": False}},
        "diagnostics": {"azuremonitor": {"logger": "prompts", "large-language-model": logs}},
    }
    with unified(Provider(openai_says("x")), claude, **more) as process:
        assert list(ask(process, "claude", "a question", stream=True, stream_options={"include_usage": True}))
        file = process.files.path / "prompts.log"
        assert eventually(lambda: file.exists() and "Hello" in file.read_text())
        logged = [json.loads(it) for it in file.read_text().splitlines()]
        said = lambda column: [item["content"] for it in logged for item in it.get(column, [])]
        assert (said("RequestMessages"), said("ResponseMessages")) == (["a question"], ["Hello"])
        assert any(it.get("TotalTokens") == 15 for it in logged)
        assert PROVIDER_KEY not in file.read_text() and KEY not in file.read_text()


def test_the_stand_in_of_anthropic_answers_through_it(dev):
    backends = {
        "oai": {"url": f"{dev.azure_openai}/openai/v1", "auth": {"header": "api-key", "value": dev.azure_openai_key}},
        "ant": {"url": f"{dev.azure_openai}/anthropic", "auth": {"header": "x-api-key", "value": dev.azure_openai_key}},
    }
    models = {"gpt": {"model": "gpt-4o", "backend": "oai"}, "claude": {"model": "claude-sonnet-4-5", "format": "anthropic", "backend": "ant"}}
    with gateway(backends=backends, apis={"llm": {"path": "llm/v1", "key": False, "models": models}}) as process:
        process.client = openai.OpenAI(base_url=f"{process.at.gateway}/llm/v1", api_key="any", max_retries=0)
        for model in models:
            answer = ask(process, model)
            assert answer.choices[0].message.content.startswith("You said: hello")
            chunks = list(ask(process, model, stream=True, stream_options={"include_usage": True}))
            assert "".join(it.choices[0].delta.content or "" for it in chunks if it.choices) == answer.choices[0].message.content
            assert chunks[-1].usage.total_tokens == answer.usage.total_tokens
