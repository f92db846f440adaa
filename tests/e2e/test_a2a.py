"""A2A agents behind the gateway: the card that it shows, and the unmodified client that follows it."""

import contextlib
import json

import anyio
import httpx
import pytest
import requests
from a2a.client import A2ACardResolver, ClientConfig, ClientFactory
from a2a.types import Message, Part, Role, SendMessageRequest

from servers import Backend, chunk, gateway, policies, read_all, text

KEY = "local-key-1234567890"


class Agent:
    """An agent that repeats what it is told, in one answer or as a stream."""

    def __init__(self, card=None):
        self.calls = []
        self.backend = Backend(self.answer)
        self.card = card or {
            "name": "Echo", "description": "Repeats.", "version": "1",
            "supportedInterfaces": [
                {"url": f"{self.backend.url}/grpc", "protocolBinding": "GRPC", "protocolVersion": "1.0"},
                {"url": f"{self.backend.url}/rpc", "protocolBinding": "JSONRPC", "protocolVersion": "1.0"},
            ],
            "capabilities": {"streaming": True}, "skills": [],
            "defaultInputModes": ["text/plain"], "defaultOutputModes": ["text/plain"],
            "signatures": [{"protected": "x", "signature": "y"}],
        }

    def answer(self, handler):
        body = read_all(handler)
        self.calls.append((handler.command, handler.path, {k.lower(): v for k, v in handler.headers.items()}))
        if handler.command == "GET":
            return text(handler, json.dumps(self.card), Content_Type="application/json", ETag='"1"')
        asked = json.loads(body)
        said = asked["params"]["message"]["parts"][0]["text"]
        message = {"messageId": "m", "role": "ROLE_AGENT", "parts": [{"text": said}]}
        reply = {"jsonrpc": "2.0", "id": asked["id"], "result": {"message": message}}
        if "Streaming" not in asked["method"]:
            return text(handler, json.dumps(reply), Content_Type="application/json")
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        chunk(handler, f"data: {json.dumps(reply)}\n\n".encode())
        chunk(handler, b"")


@contextlib.contextmanager
def agent(card=None, **more):
    it = Agent(card)
    documents = {"agent.xml": policies('<set-header name="x-seen"><value>@(context.Operation.Id)</value></set-header>')}
    apis = {"echo": {"a2a": {"card": f"{it.backend.url}/card.json", "id": "echo-1"}, "url": f"{it.backend.url}/rpc", "policy": "agent.xml", **more}}
    with it.backend, gateway(documents, env={"A2A_KEY": KEY}, apis=apis, keys={"team": {"env": "A2A_KEY"}}) as process:
        process.agent = it
        yield process


@pytest.mark.parametrize("streaming", [False, True])
def test_a_client_finds_the_agent_by_the_gateways_card(streaming):
    with agent() as process:

        async def session():
            async with httpx.AsyncClient(headers={"Ocp-Apim-Subscription-Key": KEY}, timeout=30) as http:
                card = await A2ACardResolver(http, f"{process.at.gateway}/echo").get_agent_card()
                client = ClientFactory(ClientConfig(httpx_client=http, streaming=streaming)).create(card)
                message = Message(message_id="1", role=Role.ROLE_USER, parts=[Part(text="hello")])
                answers = [it async for it in client.send_message(SendMessageRequest(message=message))]
                return card, answers

        card, answers = anyio.run(session)
        assert [(it.url, it.protocol_binding) for it in card.supported_interfaces] == [(f"{process.at.gateway}/echo", "JSONRPC")]
        assert card.security_schemes["apimSubscriptionKey"].api_key_security_scheme.name == "Ocp-Apim-Subscription-Key" or \
            card.security_schemes["apimSubscriptionKey"].api_key_security_scheme.name == "ocp-apim-subscription-key"
        assert not card.signatures
        assert "hello" in str(answers[0])
        assert [(command, path) for command, path, _ in process.agent.calls] == [("GET", "/card.json"), ("POST", "/rpc")]
        assert [it["x-seen"] for _, _, it in process.agent.calls] == ["agentCard", "jsonRpc"]


def test_the_card_needs_the_key_too_and_has_its_places():
    with agent() as process:
        at = f"{process.at.gateway}/echo"
        assert requests.get(f"{at}/.well-known/agent-card.json").status_code == 401
        header = {"Ocp-Apim-Subscription-Key": KEY}
        for place in ("agent-card.json", "agent.json"):
            answer = requests.get(f"{at}/.well-known/{place}", headers=header)
            assert answer.json()["supportedInterfaces"][0]["url"] == at
            assert "etag" not in answer.headers and process.agent.backend.url not in answer.text
        assert requests.get(f"{at}/v1/tasks", headers=header).status_code == 404


def test_a_card_that_cannot_be_read_is_not_shown():
    with agent(card=["not a card"], key=False) as process:
        answer = requests.get(f"{process.at.gateway}/echo/.well-known/agent-card.json")
        assert answer.status_code == 502 and "not a card" not in answer.text
