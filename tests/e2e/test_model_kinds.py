"""Each kind of OpenAI's API with its unmodified client: what arrives behind the gateway is what the
client sent but for the credential, what comes back is what the model said, and its tokens are counted."""

import base64
import contextlib
import json
import struct

import jwt
import openai
import pytest
from prometheus_client.parser import text_string_to_metric_families as prometheus

from conftest import RESOURCE
from http_calls import eventually, plain
from servers import Backend, chunk, gateway, policies, read_all

KEY = "team-key-0123456789"
BUDGET = 1_000_000
COUNT = f"""
    <llm-token-limit counter-key="@(context.Subscription.Id)" token-quota="{BUDGET}" token-quota-period="Yearly"
        estimate-prompt-tokens="false" remaining-quota-tokens-header-name="remaining-tokens"
        tokens-consumed-header-name="consumed-tokens" />
    <llm-emit-token-metric namespace="kinds"><dimension name="API ID" /></llm-emit-token-metric>"""
BINARY = bytes(range(256)) * 700


class Upstream:
    """Answers by the end of the path; keeps what came: line, headers, body."""

    def __init__(self, check=lambda handler, body: ""):
        self.answers, self.calls, self.check = {}, [], check
        self.backend = Backend(self.answer)

    def answer(self, handler):
        body = read_all(handler)
        headers = {name.lower(): value for name, value in handler.headers.items()}
        self.calls.append((f"{handler.command} {handler.path}", headers, body))
        problem = self.check(handler, body)
        path = handler.path.split("?")[0]
        kind, pieces = next(it for end, it in self.answers.items() if path.endswith(end))
        handler.send_response(403 if problem else 200)
        handler.send_header("Content-Type", kind)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for piece in [problem.encode()] if problem else pieces:
            chunk(handler, piece)
        chunk(handler, b"")

    def says(self, end, answer):
        self.answers = {end: answer}


def document(**members):
    return "application/json", [json.dumps(members).encode()]


def events(*told, named=False, done=False):
    """A stream of events, cut where no event ends."""
    name = lambda it: f"event: {it['type']}\n" if named else ""
    whole = "".join(f"{name(it)}data: {json.dumps(it)}\n\n" for it in told)
    whole = (whole + ("data: [DONE]\n\n" if done else "")).encode()
    return "text/event-stream", [whole[at : at + 50] for at in range(0, len(whole), 50)]


class Kind:
    """A gateway with one API in front of an upstream, what the client sent, what is left."""

    def __init__(self, process, upstream, key_header):
        self.process, self.upstream, self.key_header, self.sent = process, upstream, key_header, []
        self.url, self.used = process.at.gateway, 0

    def note(self, request):
        self.sent.append(request.read())

    def passed(self, line):
        """Headers of the only call, which went to this line with the very body that the client sent."""
        [(came, headers, body)] = self.upstream.calls
        assert came == line
        assert [body] == self.sent, "the body is the client's, byte for byte"
        assert KEY not in str(headers) and KEY.encode() not in body, "the key is the gateway's"
        self.upstream.calls.clear()
        self.sent.clear()
        return headers

    def left(self):
        answers = self.upstream.answers
        self.upstream.answers = {"": document()}
        got = plain(self.url, path=self.probe, headers={self.key_header: KEY})
        self.upstream.answers = answers
        self.upstream.calls.pop()
        assert got[0] == 200, got
        return int(got[1]["remaining-tokens"])

    def costs(self, prompt, completion, total=None):
        """The last call cost so much: by the limit and by the metric."""
        total = prompt + completion if total is None else total
        before, self.used = self.used, self.used + total
        assert eventually(lambda: self.left() == BUDGET - self.used), (self.left(), BUDGET - self.used)
        if total:
            assert eventually(lambda: self.measured("total") - before == total), self.measured("total")

    def measured(self, which):
        name = f"kinds_{which}_tokens_sum"
        text = plain(self.process.at.admin, path="/metrics")[2].decode()
        found = (it for family in prometheus(text) for it in family.samples)
        return sum(it.value for it in found if it.name.lower() == name)


@contextlib.contextmanager
def kind(path, key_header, inbound, check=lambda *_: "", backend=None, bearer=False, probe="", env=None):
    """An API whose callers have a key; its backend is chosen by policy."""
    upstream = Upstream(check)
    names = {"header": key_header, "query": "key", **({"bearer": "enabled"} if bearer else {})}
    methods = {it: {"operationId": it, "responses": {"200": {"description": "OK"}}} for it in ("get", "post", "delete")}
    spec = {"openapi": "3.0.1", "info": {"title": "Models", "version": "1"}, "paths": {"/*": methods}}
    files = {
        "apis/models/apiInformation.json": {"properties": {"path": path, "displayName": "Models", "protocols": ["http"], "subscriptionRequired": True, "subscriptionKeyParameterNames": names}},
        "apis/models/specification.json": spec,
        "apis/models/policy.xml": policies('<set-backend-service backend-id="models" />' + inbound + COUNT),
    }
    settings = {
        "backends": {"models": {"url": f"{upstream.backend.url}/{path}".rstrip("/"), **(backend or {})}},
        "keys": {"team": {"env": "TEAM_KEY"}},
    }
    env = {"TEAM_KEY": KEY, **(env or {})}
    with upstream.backend, gateway(files, env=env, **settings) as process:
        it = Kind(process, upstream, key_header)
        it.probe = f"/{path}/probe".replace("//", "/")
        yield it


# OpenAI's client, on Azure's surface by deployment and on /openai/v1.

IDENTITY = f'<authentication-managed-identity resource="{RESOURCE}" /><set-header name="api-key" exists-action="delete" />'
MESSAGES = [{"role": "user", "content": "Grüße, 世界"}]
USAGE = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
SPENT = {"input_tokens": 21, "output_tokens": 9, "total_tokens": 30}


@pytest.fixture(params=["azure", "v1"])
def oai(request, dev):
    env = {"IDENTITY_ENDPOINT": dev.app_service_identity, "IDENTITY_HEADER": dev.identity_header}
    with kind("openai", "api-key", IDENTITY, bearer=True, env=env) as it:
        if request.param == "azure":
            hooked = openai.DefaultHttpxClient(event_hooks={"request": [it.note]})
            it.client = openai.AzureOpenAI(azure_endpoint=it.url, api_key=KEY, api_version="2025-04-01-preview", max_retries=0, http_client=hooked)
            it.at = lambda method, path, model=None: f"{method} /openai{f'/deployments/{model}' if model else ''}{path}?api-version=2025-04-01-preview"
        else:
            hooked = openai.DefaultHttpxClient(event_hooks={"request": [it.note]})
            it.client = openai.OpenAI(base_url=f"{it.url}/openai/v1", api_key=KEY, max_retries=0, http_client=hooked)
            it.at = lambda method, path, model=None: f"{method} /openai/v1{path}"
        yield it


def by_identity(headers):
    """The backend sees a token of the gateway's identity and no key."""
    token = jwt.decode(headers["authorization"].removeprefix("Bearer "), options={"verify_signature": False})
    assert token["aud"].rstrip("/") == RESOURCE and "api-key" not in headers
    return headers


def test_chat(oai):
    choice = lambda **it: {"index": 0, "finish_reason": None, **it}
    answer = {"id": "c1", "created": 1, "model": "gpt-4o-2024-08-06"}
    oai.upstream.says("/chat/completions", document(**answer, object="chat.completion", usage=USAGE, choices=[choice(message={"role": "assistant", "content": "Hei"}, finish_reason="stop")]))
    raw = oai.client.chat.completions.with_raw_response.create(model="gpt-4o", messages=MESSAGES)
    assert raw.parse().choices[0].message.content == "Hei" and raw.headers["consumed-tokens"] == "18"
    by_identity(oai.passed(oai.at("POST", "/chat/completions", "gpt-4o")))
    oai.costs(11, 7)

    part = lambda **it: {**answer, "object": "chat.completion.chunk", "choices": [], **it}
    told = [part(choices=[choice(delta={"content": it})]) for it in ("He", "i")] + [part(usage=USAGE)]
    oai.upstream.says("/chat/completions", events(*told, done=True))
    stream = oai.client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True, stream_options={"include_usage": True})
    parts = list(stream)
    assert "".join(it.choices[0].delta.content for it in parts if it.choices) == "Hei" and parts[-1].usage.total_tokens == 18
    by_identity(oai.passed(oai.at("POST", "/chat/completions", "gpt-4o")))
    oai.costs(11, 7)


def test_responses(oai):
    message = {"id": "m1", "type": "message", "role": "assistant", "status": "completed", "content": [{"type": "output_text", "text": "Hei", "annotations": []}]}
    answer = {"id": "resp_1", "object": "response", "created_at": 1, "status": "completed", "model": "gpt-4o", "output": [message], "usage": SPENT, "parallel_tool_calls": True, "tools": [], "tool_choice": "auto"}
    oai.upstream.says("/responses", document(**answer))
    raw = oai.client.responses.with_raw_response.create(model="gpt-4o", input="hello")
    assert raw.parse().output_text == "Hei" and raw.headers["consumed-tokens"] == "30"
    by_identity(oai.passed(oai.at("POST", "/responses")))
    oai.costs(21, 9)

    place = {"item_id": "m1", "output_index": 0, "content_index": 0}
    told = [
        {"type": "response.created", "response": {**answer, "status": "in_progress", "output": [], "usage": None}},
        {"type": "response.output_text.delta", "delta": "Hei", "logprobs": [], **place},
        {"type": "response.completed", "response": answer},
    ]
    oai.upstream.says("/responses", events(*({"sequence_number": n, **it} for n, it in enumerate(told)), named=True))
    got = list(oai.client.responses.create(model="gpt-4o", input="hello", stream=True))
    assert [it.type for it in got] == [it["type"] for it in told] and got[-1].response.output_text == "Hei"
    by_identity(oai.passed(oai.at("POST", "/responses")))
    oai.costs(21, 9)

    # What is only looked at again was paid for.
    oai.upstream.says("/responses/resp_1", document(**answer))
    assert oai.client.responses.retrieve("resp_1").usage.total_tokens == 30
    oai.passed(oai.at("GET", "/responses/resp_1"))
    oai.costs(0, 0)


def test_embeddings_and_models(oai):
    floats = base64.b64encode(struct.pack("<3f", 0.5, -1, 2)).decode()
    vector = {"object": "embedding", "index": 0, "embedding": floats}
    oai.upstream.says("/embeddings", document(object="list", model="e", data=[vector], usage={"prompt_tokens": 5, "total_tokens": 5}))
    raw = oai.client.embeddings.with_raw_response.create(model="e", input=["a b"])
    assert raw.parse().data[0].embedding == [0.5, -1, 2] and raw.headers["consumed-tokens"] == "5"
    by_identity(oai.passed(oai.at("POST", "/embeddings", "e")))
    oai.costs(5, 0)
    oai.upstream.says("/models", document(object="list", data=[{"id": "gpt-4o", "object": "model", "created": 1, "owned_by": "us"}]))
    assert [it.id for it in oai.client.models.list()] == ["gpt-4o"]
    by_identity(oai.passed(oai.at("GET", "/models")))
    oai.costs(0, 0)


def test_images(oai):
    picture = base64.b64encode(BINARY).decode()
    oai.upstream.says("/images/generations", document(created=1, data=[{"b64_json": picture}], usage=SPENT))
    got = oai.client.images.generate(model="gpt-image-1", prompt="a cat", size="1024x1024")
    assert base64.b64decode(got.data[0].b64_json) == BINARY
    by_identity(oai.passed(oai.at("POST", "/images/generations", "gpt-image-1")))
    oai.costs(21, 9)
    oai.upstream.says("/images/edits", document(created=1, data=[{"b64_json": picture}], usage=SPENT))
    oai.client.images.edit(model="gpt-image-1", prompt="a hat", image=("cat.png", BINARY, "image/png"))
    headers = by_identity(oai.passed(oai.at("POST", "/images/edits", "gpt-image-1")))
    assert headers["content-type"].startswith("multipart/form-data; boundary=")
    oai.costs(21, 9)


def test_a_streamed_image(oai):
    common = {"b64_json": "AAAA", "created_at": 1, "size": "1024x1024", "quality": "high", "background": "auto", "output_format": "png"}
    told = [{"type": "image_generation.partial_image", "partial_image_index": 0, **common}, {"type": "image_generation.completed", "usage": SPENT, **common}]
    oai.upstream.says("/images/generations", events(*told, named=True))
    got = list(oai.client.images.generate(model="gpt-image-1", prompt="a cat", stream=True, partial_images=1))
    assert [it.type for it in got] == [it["type"] for it in told]
    by_identity(oai.passed(oai.at("POST", "/images/generations", "gpt-image-1")))
    oai.costs(21, 9)


def test_audio(oai):
    oai.upstream.says("/audio/transcriptions", document(text="hello", usage={"type": "tokens", **SPENT}))
    got = oai.client.audio.transcriptions.create(model="gpt-4o-transcribe", file=("a.wav", BINARY, "audio/wav"))
    assert got.text == "hello"
    headers = by_identity(oai.passed(oai.at("POST", "/audio/transcriptions", "gpt-4o-transcribe")))
    assert headers["content-type"].startswith("multipart/form-data; boundary=")
    oai.costs(21, 9)
    told = [{"type": "transcript.text.delta", "delta": "hello"}, {"type": "transcript.text.done", "text": "hello", "usage": {"type": "tokens", **SPENT}}]
    oai.upstream.says("/audio/transcriptions", events(*told))
    stream = oai.client.audio.transcriptions.create(model="gpt-4o-transcribe", file=("a.wav", BINARY, "audio/wav"), stream=True)
    assert [it.type for it in stream] == [it["type"] for it in told]
    oai.passed(oai.at("POST", "/audio/transcriptions", "gpt-4o-transcribe"))
    oai.costs(21, 9)
    oai.upstream.says("/audio/speech", ("audio/mpeg", [BINARY[:1000], BINARY[1000:]]))
    with oai.client.audio.speech.with_streaming_response.create(model="tts", voice="alloy", input="hello") as spoken:
        assert b"".join(spoken.iter_bytes()) == BINARY and spoken.headers["content-type"] == "audio/mpeg"
    by_identity(oai.passed(oai.at("POST", "/audio/speech", "tts")))
    oai.costs(0, 0)


def test_files_and_batches(oai):
    file = {"id": "file-1", "object": "file", "bytes": len(BINARY), "created_at": 1, "filename": "b.jsonl", "purpose": "batch", "status": "processed"}
    oai.upstream.says("/files", document(**file))
    assert oai.client.files.create(file=("b.jsonl", BINARY), purpose="batch").id == "file-1"
    headers = by_identity(oai.passed(oai.at("POST", "/files")))
    assert headers["content-type"].startswith("multipart/form-data; boundary=")
    oai.upstream.says("/files", document(object="list", data=[file], has_more=False))
    assert [it.id for it in oai.client.files.list()] == ["file-1"]
    by_identity(oai.passed(oai.at("GET", "/files")))
    oai.upstream.says("/files/file-1/content", ("application/octet-stream", [BINARY[:7], BINARY[7:]]))
    assert oai.client.files.content("file-1").read() == BINARY
    by_identity(oai.passed(oai.at("GET", "/files/file-1/content")))
    oai.upstream.says("/files/file-1", document(id="file-1", object="file", deleted=True))
    assert oai.client.files.delete("file-1").deleted
    by_identity(oai.passed(oai.at("DELETE", "/files/file-1")))

    details = {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
    batch = {"id": "batch_1", "object": "batch", "endpoint": "/v1/chat/completions", "input_file_id": "file-1", "completion_window": "24h", "status": "validating", "created_at": 1}
    oai.upstream.says("/batches", document(**batch))
    made = oai.client.batches.create(input_file_id="file-1", endpoint="/v1/chat/completions", completion_window="24h")
    assert made.status == "validating"
    by_identity(oai.passed(oai.at("POST", "/batches")))
    oai.upstream.says("/batches/batch_1", document(**{**batch, "status": "completed", "usage": {**SPENT, **details}}))
    for _ in range(3):
        assert oai.client.batches.retrieve("batch_1").usage.total_tokens == 30
        by_identity(oai.passed(oai.at("GET", "/batches/batch_1")))
    oai.costs(0, 0)
