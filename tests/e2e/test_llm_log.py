"""Prompts and completions in the log: `largeLanguageModel` of a diagnostic, with real clients."""

import contextlib
import json
import socket
import threading
import types

import openai
import pytest

from collector import Collector, attributes
from http_calls import address, eventually, plain
from servers import Backend, api, chunk, gateway, policies, read_all, text

ALL = {
    "logs": "enabled",
    "requests": {"messages": "all", "max-size": "256KiB"},
    "responses": {"messages": "all", "max-size": "256KiB"},
}
SECRET = "the-secret-of-the-house"


def models(dev):
    return types.SimpleNamespace(url=dev.azure_openai)


def client(process, dev):
    return openai.OpenAI(
        base_url=f"{process.at.gateway}/openai/v1/", api_key=dev.azure_openai_key, max_retries=0
    )


def lines(file):
    """The whole lines of a file that is being written."""
    if not file.exists():
        return []
    return [json.loads(line) for line in file.read_text().splitlines(keepends=True) if line.endswith("\n")]


def calls(found):
    """Entries by call, in the order of their numbers."""
    by_call = {}
    for entry in found:
        by_call.setdefault(entry["CorrelationId"], []).append(entry)
    return [sorted(it, key=lambda entry: entry["SequenceNumber"]) for it in by_call.values()]


def said(call, column):
    """The text of a call's entries."""
    return "".join(item["content"] for entry in call for item in entry.get(column, []))


@contextlib.contextmanager
def logged(dev, files=None, logger=None, **more):
    """A gateway in front of the stand-in that logs into a file."""
    settings = {
        "named-values": {"house": {"env": "HOUSE"}},
        "loggers": {"prompts": {"file": "prompts.log", "buffered": False, **(logger or {})}},
        "diagnostics": {"azuremonitor": {"logger": "prompts", "large-language-model": ALL}},
        "gateway": {"region": "here"},
        "apis": {"models": api(models(dev))},
        **more,
    }
    with gateway(files, env={"HOUSE": SECRET}, **settings) as process:
        yield process, process.files.path / "prompts.log"


def entries(file, n_calls):
    """The calls in the file, once there are that many with an answer."""
    assert eventually(lambda: len(calls(lines(file))) >= n_calls), file.exists() and file.read_text()
    return calls(lines(file))


def test_a_chat_and_its_stream_are_read_back_from_the_file(dev):
    with logged(dev) as (process, file):
        it = client(process, dev)
        messages = [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": f"hello, {SECRET} and {dev.azure_openai_key}"},
        ]
        whole = it.chat.completions.create(model="gpt-4o", messages=messages)
        [call] = entries(file, 1)
        assert [entry["SequenceNumber"] for entry in call] == [0, 1, 2]
        summary, prompt, answer = call
        usage = whole.usage
        assert summary["PromptTokens"] == usage.prompt_tokens
        assert summary["CompletionTokens"] == usage.completion_tokens
        assert summary["TotalTokens"] == usage.total_tokens
        assert (summary["DeploymentName"], summary["Region"]) == ("gpt-4o", "here")
        assert (summary["ModelName"], summary["RequestId"]) == (whole.model, whole.id)
        assert summary["IsStreamCompletion"] is False and summary["ApiId"] == "models"
        assert prompt["RequestMessages"] == [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "hello, *** and ***"},
        ]
        assert answer["ResponseMessages"][0]["finish_reason"] == "stop"
        assert said(call, "ResponseMessages") == "You said: hello, *** and ***"
        assert SECRET in whole.choices[0].message.content, "the client gets what the model said"

        stream = it.chat.completions.create(
            model="gpt-4o", messages=messages, stream=True, stream_options={"include_usage": True}
        )
        chunks = list(stream)
        _, call = entries(file, 2)
        assert call[0]["IsStreamCompletion"] is True
        assert call[0]["TotalTokens"] == chunks[-1].usage.total_tokens
        assert said(call, "ResponseMessages") == "You said: hello, *** and ***"
        text = file.read_text()
        assert SECRET not in text and dev.azure_openai_key not in text


def test_responses_and_embeddings_are_logged(dev):
    with logged(dev) as (process, file):
        it = client(process, dev)
        whole = it.responses.create(model="gpt-4o", input="hello")
        [call] = entries(file, 1)
        assert said(call, "RequestMessages") == "hello"
        assert said(call, "ResponseMessages") == whole.output_text
        assert call[0]["TotalTokens"] == whole.usage.total_tokens

        with it.responses.stream(model="gpt-4o", input="hello again") as stream:
            done = [event for event in stream][-1].response
        call = entries(file, 2)[1]
        assert said(call, "RequestMessages") == "hello again"
        assert said(call, "ResponseMessages") == done.output_text
        assert call[0]["TotalTokens"] == done.usage.total_tokens

        vectors = it.embeddings.create(model="text-embedding-3-small", input=["one", "two"])
        call = entries(file, 3)[2]
        assert [item["content"] for item in call[1]["RequestMessages"]] == ["one", "two"]
        assert len(call) == 2 and call[0]["PromptTokens"] == vectors.usage.prompt_tokens


def test_a_long_prompt_is_cut_into_numbered_entries_and_full_files_are_put_aside(dev):
    with logged(dev, logger={"size": "1MiB", "files": 3}) as (process, file):
        it = client(process, dev)
        words = "all work and no play " * 9000
        for _ in range(6):
            it.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": words}])
        files = [file.with_name("prompts.log.2"), file.with_name("prompts.log.1"), file]
        found = lambda: [entry for it in files for entry in lines(it)]
        n_entries = 2 * 6 + 1
        assert eventually(lambda: len(found()) == 6 * n_entries), len(found())
        assert all(it.stat().st_size <= 1 << 20 for it in files)
        call = calls(found())[0]
        assert [entry["SequenceNumber"] for entry in call] == list(range(len(call)))
        assert said(call, "RequestMessages") == words and len(call) == n_entries
        prompts = [entry["RequestMessages"] for entry in call if "RequestMessages" in entry]
        assert all(len(json.dumps(it).encode()) < 34_000 for it in prompts)
        assert "RequestBytesLeftOut" not in call[0]


def test_an_apis_own_diagnostic_goes_over_the_one_for_all(dev):
    nothing = {"azuremonitor": {"logger": "prompts"}}
    tokens = {"azuremonitor": {"logger": "prompts", "large-language-model": {"logs": "enabled"}}}
    apis = {
        "quiet": api(models(dev), path="quiet", diagnostics=nothing),
        "tokens": api(models(dev), path="tokens", diagnostics=tokens),
    }
    with logged(dev, apis=apis) as (process, file):
        for path in ["quiet", "tokens"]:
            it = openai.OpenAI(
                base_url=f"{process.at.gateway}/{path}/openai/v1/", api_key=dev.azure_openai_key
            )
            it.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "x"}])
        [call] = entries(file, 1)
        assert call[0]["ApiId"] == "tokens" and call[0]["TotalTokens"] > 0
        assert len(call) == 1, "tokens only"


def test_azures_own_files_log_into_the_access_log(dev):
    diagnostic = {
        "properties": {
            "loggerId": "/subscriptions/x/loggers/azuremonitor",
            "largeLanguageModel": {
                "logs": "enabled",
                "requests": {"messages": "all", "maxSizeInBytes": 32768},
                "responses": {"messages": "all", "maxSizeInBytes": 32768},
            },
        }
    }
    files = {
        "diagnostics/azuremonitor/diagnosticInformation.json": diagnostic,
        "loggers/azuremonitor/loggerInformation.json": {"properties": {"loggerType": "azureMonitor"}},
    }
    with gateway(files, apis={"models": api(models(dev))}) as process:
        client(process, dev).chat.completions.create(
            model="gpt-4o", messages=[{"role": "user", "content": "hello"}]
        )

        def found():
            told = [json.loads(line) for line in process.output().splitlines() if line.startswith("{")]
            return [it for it in told if it.get("Category") == "GatewayLlmLogs"]

        assert eventually(lambda: len(found()) == 3)
        line = next(line for line in process.output().splitlines() if '"GatewayLogs"' in line)
        assert {it["CorrelationId"] for it in found()} == {json.loads(line)["CorrelationId"]}


def test_a_collector_gets_events_of_the_conventions(dev):
    diagnostics = {"azuremonitor": {"large-language-model": ALL}}
    with Collector() as collector:
        telemetry = {"otlp": {"endpoint": collector.backend.url, "signals": ["logs"]}}
        more = {"arguments": ["--access-log", "off"], "telemetry": telemetry}
        with gateway(diagnostics=diagnostics, apis={"models": api(models(dev))}, **more) as process:
            whole = client(process, dev).chat.completions.create(
                model="gpt-4o", messages=[{"role": "user", "content": "hello"}]
            )
            name = "gen_ai.client.inference.operation.details"
            events = lambda: [it for it in collector.records() if it.event_name == name]
            assert eventually(lambda: len(events()) == 3)
            found = {}
            for event in events():
                found.update(attributes(event))
            assert found["gen_ai.operation.name"] == "chat"
            assert found["gen_ai.request.model"] == "gpt-4o"
            assert found["gen_ai.response.model"] == whole.model
            assert found["gen_ai.response.id"] == whole.id
            assert found["gen_ai.usage.input_tokens"] == whole.usage.prompt_tokens
            assert json.loads(found["gen_ai.input.messages"]) == [
                {"role": "user", "parts": [{"type": "text", "content": "hello"}]}
            ]
            [message] = json.loads(found["gen_ai.output.messages"])
            assert message["parts"][0]["content"] == "You said: hello"
            assert message["finish_reason"] == "stop"


PIECES = [
    b'data: {"choices":[{"delta":{"content":"He"}}]}\n\nda',
    b'ta: {"choices":[{"delta":{"content":"llo"}}]}\n',
    b"\n",
    b'data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}\n\n',
    b"data: [DONE]\n\n",
]


def pieces_of_a_stream(**settings):
    """What the client gets in each chunk. The next one is sent only when that is there."""
    seen = threading.Semaphore(0)

    def answer(handler):
        read_all(handler)
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for piece in PIECES:
            chunk(handler, piece)
            assert seen.acquire(timeout=20)
        chunk(handler, b"")

    with Backend(answer) as backend, gateway(apis={"m": api(backend)}, **settings) as process:
        address = process.at.gateway.removeprefix("http://").split(":")
        body = b'{"stream":true,"messages":[{"role":"user","content":"hi"}]}'
        head = b"POST /openai/deployments/d/chat/completions HTTP/1.1\r\nHost: h\r\n"
        head += b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        with socket.create_connection((address[0], int(address[1])), timeout=20) as connection:
            connection.sendall(head + body)
            reader = connection.makefile("rb")
            while reader.readline().strip():
                pass
            found = []
            while size := int(reader.readline(), 16):
                found.append(reader.read(size))
                reader.readline()
                seen.release()
        # Logged or not, the request is over.
        n_llm = lambda: process.output().count('"GatewayLlmLogs"')
        if settings:
            assert eventually(lambda: n_llm() == 3)
        return found, n_llm()


def test_logging_changes_neither_the_pieces_of_a_stream_nor_when_they_come():
    without, n_entries = pieces_of_a_stream()
    assert (without, n_entries) == (PIECES, 0)
    diagnostics = {"azuremonitor": {"large-language-model": ALL}}
    with_log, n_entries = pieces_of_a_stream(diagnostics=diagnostics)
    assert (with_log, n_entries) == (PIECES, 3)


def test_a_file_that_cannot_be_written_stops_nobody_and_is_told_once(dev):
    with logged(dev, logger={"file": "no/such/folder/x.log"}) as (process, _):
        it = client(process, dev)
        for _ in range(3):
            it.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "x"}])

        def dropped():
            body = plain(process.at.admin, path="/metrics")[2].decode()
            name = "portcullis_logged_events_dropped_total "
            return sum(float(it.split()[1]) for it in body.splitlines() if it.startswith(name))

        assert eventually(lambda: dropped() == 9)
        assert 1 <= process.text().count("logged events are dropped") <= 4


@pytest.mark.parametrize(
    "diagnostic, message",
    [
        ({"large-language-model": {"log": "enabled"}}, "did you mean `logs`?"),
        ({"large-language-model": {"logs": "enabled"}, "logger": "promts"}, "did you mean `prompts`?"),
    ],
)
def test_mistakes_keep_the_gateway_from_starting(dev, diagnostic, message):
    with pytest.raises(AssertionError) as refusal:
        with logged(dev, diagnostics={"azuremonitor": diagnostic}):
            pass
    assert message in str(refusal.value)


class Hub:
    """An event hub that keeps what it takes; it may refuse at first, or answer nobody until it is told."""

    def __init__(self, refuses=0, holds=False):
        self.refused, self.entries, self.calls = refuses, [], 0
        self.may_answer = threading.Event()
        if not holds:
            self.may_answer.set()
        self.backend = Backend(self.answer)

    def answer(self, handler):
        body = read_all(handler)
        self.calls += 1
        self.may_answer.wait(timeout=30)
        if self.refused:
            self.refused -= 1
            return text(handler, status=503)
        self.entries += [json.loads(it["Body"]) for it in json.loads(body)]
        text(handler, status=201)

    def settings(self):
        key = "Endpoint=sb://ns.test/;SharedAccessKeyName=send;SharedAccessKey=hub-s3cret-key;EntityPath=prompts"
        to_hub = {"address": "%s:%d" % address(self.backend.url), "tls": False}
        return {"hosts": {"ns.test": to_hub}, "loggers": {"prompts": {"connection-string": key}}}


def test_an_event_hub_that_does_not_answer_keeps_no_client_waiting(dev):
    hub = Hub(holds=True)
    with hub.backend, logged(dev, **hub.settings(), arguments=("--workers", "1")) as (process, _):
        ask = lambda: client(process, dev).with_options(timeout=10).chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "x"}], stream=True)
        for _ in range(20):
            assert list(ask())
        assert hub.entries == []
        hub.may_answer.set()
        assert eventually(lambda: len(calls(hub.entries)) == 20)
