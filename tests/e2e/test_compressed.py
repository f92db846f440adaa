"""Model answers that are compressed although nobody asked for it: their tokens are counted all the same."""

import gzip
import json

import pytest
import requests

from http_calls import eventually
from servers import Backend, api, gateway, policies, read_all

LIMIT = '<llm-token-limit counter-key="all" token-quota="1000" token-quota-period="Yearly" estimate-prompt-tokens="false" remaining-quota-tokens-header-name="x-left" />'
ANSWER = {"choices": [{"message": {"content": "hi"}}], "usage": {"prompt_tokens": 70, "completion_tokens": 30, "total_tokens": 100}}
STREAM = "".join(
    f"data: {it}\n\n"
    for it in (json.dumps({"choices": [{"delta": {"content": "hi"}}]}), json.dumps({"choices": [], "usage": ANSWER["usage"]}), "[DONE]")
)


@pytest.mark.parametrize("encoding, stream, used", [("gzip", False, 100), ("gzip", True, 100), ("zstd", False, None)])
def test_compressed_answers_are_counted(encoding, stream, used):
    asked = []

    def answer(handler):
        read_all(handler)
        asked.append(handler.headers.get("accept-encoding"))
        plain = STREAM if stream else json.dumps(ANSWER)
        body = gzip.compress(plain.encode()) if encoding == "gzip" else b"(of another encoding)"
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream" if stream else "application/json")
        handler.send_header("Content-Encoding", encoding)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    with Backend(answer) as backend, gateway({"p.xml": policies(LIMIT)}, apis={"m": api(backend, policy="p.xml")}) as process:
        url = f"{process.at.gateway}/openai/v1/chat/completions"
        question = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hello"}], "stream": stream, "max_tokens": 200}
        first = requests.post(url, json=question, stream=True)
        body = first.raw.read()
        assert asked == [None] or asked == ["identity"]
        if used is None:
            # Nothing is known of it, so that all that was expected counts.
            assert body == b"(of another encoding)"
            eventually(lambda: int(requests.post(url, json=question).headers["x-left"]) < 1000)
            return
        assert "content-encoding" not in first.headers
        assert b"usage" not in body or not stream
        assert (b'"content": "hi"' in body) and first.status_code == 200
        left = lambda: int(requests.post(url, json=question).headers["x-left"])
        eventually(lambda: left() <= 1000 - used)
