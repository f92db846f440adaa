"""MCP servers: operations as tools, and a server that is passed through, with the unmodified client."""

import contextlib
import json
import threading

import anyio
import httpx2
import pytest
import requests
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

from servers import Backend, api, chunk, gateway, policies, read_all, text

KEY = "local-key-1234567890"

SPEC = {
    "openapi": "3.0.1",
    "info": {"title": "Orders", "version": "1"},
    "paths": {
        "/orders/{id}": {
            "get": {
                "operationId": "getOrder",
                "summary": "Get an order",
                "description": "Tells what is in an order.",
                "parameters": [
                    {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}},
                    {"name": "tag", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}},
                    {"name": "api-version", "in": "query", "required": True, "schema": {"type": "string", "enum": ["1"]}},
                    {"name": "x-note", "in": "header", "schema": {"type": "string"}},
                ],
            }
        },
        "/orders": {
            "post": {
                "operationId": "createOrder",
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Order"}}},
                },
            }
        },
    },
    "components": {
        "schemas": {
            "Order": {
                "type": "object",
                "required": ["sku"],
                "properties": {
                    "sku": {"type": "string"},
                    "gift": {"type": "string", "nullable": True},
                    "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Order"}},
                },
            }
        }
    },
}


class Orders:
    """A REST service that notes what it is asked."""

    def __init__(self):
        self.calls = []
        self.backend = Backend(self.answer)

    def answer(self, handler):
        body = read_all(handler).decode()
        self.calls.append((handler.command, handler.path, body, {k.lower(): v for k, v in handler.headers.items()}))
        if "/404" in handler.path:
            return text(handler, '{"error":"no such order"}', 404, Content_Type="application/json")
        if handler.command == "POST":
            return text(handler, "[1, 2]", 201, Content_Type="application/json")
        text(handler, json.dumps({"id": 7, "path": handler.path}), Content_Type="application/json")


@contextlib.contextmanager
def orders(mcp=None, server_policy="", operation_policy="", **more):
    """A gateway with a REST API and an MCP server over it."""
    it = Orders()
    documents = {
        "spec.json": SPEC,
        "server.xml": policies(server_policy),
        "get.xml": policies(operation_policy, outbound='<set-header name="x-out"><value>1</value></set-header>'),
    }
    apis = {
        "orders": {
            "url": it.backend.url, "path": "orders-api", "spec": "spec.json",
            "operations": {"getOrder": {"policy": "get.xml"}},
        },
        "orders-mcp": {
            "tools": ["orders/getOrder", {"operation": "orders/createOrder", "name": "make"}],
            "policy": "server.xml", "name": "Orders", "instructions": "Ask kindly.", **(mcp or {}),
        },
    }
    with it.backend, gateway(documents, env={"ORDERS_KEY": KEY}, apis=apis, keys={"team": {"env": "ORDERS_KEY"}}, **more) as process:
        process.orders = it
        yield process


def client(process, mode="auto", path="orders-mcp/mcp", headers=None):
    """An unmodified client that names the subscription key."""
    headers = {"Ocp-Apim-Subscription-Key": KEY} if headers is None else headers
    http = httpx2.AsyncClient(headers=headers, timeout=30)
    return Client(streamable_http_client(f"{process.at.gateway}/{path}", http_client=http), mode=mode)


def run(session, **options):
    """Runs an asynchronous function with a client."""

    async def inner():
        async with client(**options) as it:
            return await session(it)

    return anyio.run(inner)


@pytest.mark.parametrize("mode", ["auto", "legacy", "2026-07-28"])
def test_operations_are_tools(mode):
    with orders() as process:

        async def session(it):
            tools = (await it.list_tools()).tools
            called = await it.call_tool("getorder", {"id": 7, "tag": ["a b", "c"], "x-note": "hi"})
            made = await it.call_tool("make", {"body": {"sku": "x", "parts": [{"sku": "y"}]}})
            missing = await it.call_tool("getorder", {"id": 404})
            return tools, called, made, missing

        tools, called, made, missing = run(session, process=process, mode=mode)
        get, make = tools
        assert (get.name, get.title, get.description) == ("getorder", "Get an order", "Tells what is in an order.")
        assert get.annotations.read_only_hint is True and make.annotations.read_only_hint is False
        assert get.input_schema["required"] == ["id"]
        assert get.input_schema["properties"]["api-version"]["default"] == "1"
        assert make.input_schema["properties"]["body"] == {"$ref": "#/$defs/Order"} or \
            make.input_schema["properties"]["body"]["properties"]["gift"]["type"] == ["string", "null"]

        assert called.structured_content == {"id": 7, "path": "/orders/7?api-version=1&tag=a%20b&tag=c"}
        assert not called.is_error and json.loads(called.content[0].text) == called.structured_content
        assert made.content[0].text == "[1, 2]" and made.structured_content is None
        assert missing.is_error and missing.content[0].text == '{"error":"no such order"}'

        first, second, _ = process.orders.calls
        assert first[0] == "GET" and first[3]["x-note"] == "hi"
        assert second[0] == "POST" and json.loads(second[2]) == {"sku": "x", "parts": [{"sku": "y"}]}
        assert second[3]["content-type"] == "application/json"
        for call in process.orders.calls:
            assert "ocp-apim-subscription-key" not in call[3] and not any(it.startswith("mcp-") for it in call[3])


def test_arguments_that_do_not_fit_are_told_to_the_model():
    with orders() as process:

        async def session(it):
            results = [await it.call_tool("getorder", arguments) for arguments in ({}, {"id": 1, "more": 2}, {"id": ".."})]
            with pytest.raises(MCPError) as unknown:
                await it.call_tool("other", {})
            return [it.content[0].text for it in results if it.is_error], str(unknown.value)

        texts, unknown = run(session, process=process, mode="legacy")
        assert texts == ["the argument `id` is missing", "there is no argument `more`", "the argument `id` cannot be `..`"]
        assert "Unknown tool" in unknown
        assert process.orders.calls == []


def test_policies_of_the_server_and_of_the_operation_run():
    """The server's first, then those of the operation; a header that the server's policies set goes on."""
    server = (
        '<set-header name="Authorization"><value>@(context.Request.Headers.GetValueOrDefault("Authorization", ""))</value></set-header>'
        '<set-header name="x-server"><value>@(context.Api.Name + (context.Operation == null ? " none" : ""))</value></set-header>'
    )
    operation = (
        '<set-header name="x-operation"><value>@(context.Request.Headers.GetValueOrDefault("x-server", "") + ", "'
        ' + context.Operation.Id + " " + context.Request.MatchedParameters["id"] + " " + context.Subscription.Id)</value></set-header>'
    )
    with orders(server_policy=server, operation_policy=operation) as process:
        headers = {"Ocp-Apim-Subscription-Key": KEY, "Authorization": "Bearer mine", "Cookie": "a=b"}
        run(lambda it: it.call_tool("getorder", {"id": 7}), process=process, headers=headers)
        sent = process.orders.calls[0][3]
        assert sent["authorization"] == "Bearer mine"
        assert sent["x-operation"] == "Orders none, getorder 7 team"
        assert "cookie" not in sent
        process.stop()
        lines = [json.loads(it) for it in process.lines if it.startswith("{")]
        called = [it for it in lines if it.get("ApiId") == "orders"]
        assert [(it["OperationId"], it["ResponseCode"], it["Method"]) for it in called] == [("getorder", 200, "GET")]


def test_an_operation_that_refuses_is_an_error_of_the_tool():
    refusing = '<rate-limit-by-key calls="1" renewal-period="60" counter-key="all" />'
    with orders(operation_policy=refusing) as process:

        async def session(it):
            return [await it.call_tool("getorder", {"id": 7}) for _ in range(2)]

        first, second = run(session, process=process)
        assert not first.is_error
        assert second.is_error and "Rate limit is exceeded" in second.content[0].text


def test_keys_and_tokens_guard_the_server():
    with orders() as process:
        url = f"{process.at.gateway}/orders-mcp/mcp"
        message = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
        refused = requests.post(url, json=message)
        assert refused.status_code == 401 and "www-authenticate" in refused.headers
        assert requests.post(url, json=message, headers={"Ocp-Apim-Subscription-Key": KEY}).json()["result"] == {}
    with orders(server_policy='<check-header name="x-pass" failed-check-httpcode="403" failed-check-error-message="No"><value>1</value></check-header>') as process:
        with pytest.raises(Exception):
            run(lambda it: it.list_tools(), process=process)


def test_the_transport_keeps_the_specification():
    with orders(mcp={"key": False}) as process:
        url = f"{process.at.gateway}/orders-mcp/mcp"
        both = {"Accept": "application/json, text/event-stream"}
        ask = lambda method, id=1, **params: {"jsonrpc": "2.0", "id": id, "method": method, "params": params}

        begun = requests.post(url, json=ask("initialize", protocolVersion="2025-06-18", capabilities={}), headers=both)
        session = begun.headers["Mcp-Session-Id"]
        assert begun.json()["result"]["protocolVersion"] == "2025-06-18"
        assert begun.json()["result"]["instructions"] == "Ask kindly."
        of_session = {**both, "Mcp-Session-Id": session, "MCP-Protocol-Version": "2025-06-18"}
        note = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        accepted = requests.post(url, json=note, headers=of_session)
        assert (accepted.status_code, accepted.content) == (202, b"")

        listened = requests.get(url, headers={"Accept": "text/event-stream"})
        assert (listened.status_code, listened.headers["Allow"]) == (405, "POST, DELETE")
        events = requests.post(url, json=ask("ping"), headers={"Accept": "text/event-stream"})
        assert events.headers["Content-Type"] == "text/event-stream"
        assert events.text == 'event: message\ndata: {"jsonrpc":"2.0","id":1,"result":{}}\n\n'
        assert requests.post(url, json=ask("ping"), headers={"Accept": "text/html"}).status_code == 406
        assert requests.post(url, data="{}", headers={**both, "Content-Type": "text/plain"}).status_code == 415
        assert requests.post(url, json=ask("ping"), headers={"MCP-Protocol-Version": "2024-01-01"}).status_code == 400
        broken = requests.post(url, data="{", headers={"Content-Type": "application/json"})
        assert (broken.status_code, broken.json()["error"]["code"]) == (400, -32700)
        unknown = requests.post(url, json=ask("prompts/list"), headers=of_session)
        assert (unknown.status_code, unknown.json()["error"]["code"]) == (200, -32601)
        large = requests.post(url, data=b'"' + b"x" * (5 << 20) + b'"', headers={"Content-Type": "application/json"})
        assert large.status_code == 413

        batch = [ask("ping", 1), note, ask("tools/call", 2, name="getorder", arguments={"id": 1}), 3]
        answers = requests.post(url, json=batch, headers=both).json()
        assert [it["id"] for it in answers] == [1, 2, None]
        assert requests.post(url, json=batch, headers=of_session).status_code == 400

        assert requests.delete(url, headers=of_session).status_code == 204
        assert requests.post(url, json=ask("ping"), headers=of_session).status_code == 404
        assert requests.delete(url).status_code == 400
        assert requests.put(url).status_code == 404


class McpServer:
    """An MCP server with a session and a tool that streams, as far as a pass-through has to carry."""

    def __init__(self):
        self.calls = []
        self.may_end = threading.Event()
        self.backend = Backend(self.answer)

    def answer(self, handler):
        body = read_all(handler)
        self.calls.append((handler.command, handler.path, handler.headers.get("mcp-session-id")))
        if handler.command != "POST":
            return text(handler, "", 405 if handler.command == "GET" else 200)
        message = json.loads(body)
        if "id" not in message:
            return text(handler, "", 202)
        reply = lambda result: json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result})
        match message["method"]:
            case "initialize":
                result = {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": {"name": "s", "version": "1"}}
                return text(handler, reply(result), Content_Type="application/json", Mcp_Session_Id="session-1")
            case "tools/list":
                result = {"tools": [{"name": "slow", "inputSchema": {"type": "object"}}]}
                return text(handler, reply(result), Content_Type="application/json")
            case "tools/call":
                handler.send_response(200)
                handler.send_header("Content-Type", "text/event-stream")
                handler.send_header("Transfer-Encoding", "chunked")
                handler.end_headers()
                token = message["params"]["_meta"]["progressToken"]
                progress = {"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": token, "progress": 1}}
                chunk(handler, f"event: message\ndata: {json.dumps(progress)}\n\n".encode())
                self.may_end.wait(timeout=20)
                result = {"content": [{"type": "text", "text": "done"}]}
                chunk(handler, f"event: message\ndata: {reply(result)}\n\n".encode())
                return chunk(handler, b"")
        text(handler, json.dumps({"jsonrpc": "2.0", "id": message["id"], "error": {"code": -32601, "message": "no"}}), Content_Type="application/json")


def test_a_server_is_passed_through_as_it_streams():
    server = McpServer()
    apis = {"weather": {"mcp": True, "url": f"{server.backend.url}/base/mcp", "key": False}}
    with server.backend, gateway(apis=apis) as process:

        async def progressed(*_):
            # The tool ends only after its first event has come through.
            server.may_end.set()

        async def session(it):
            tools = (await it.list_tools()).tools
            return tools, await it.call_tool("slow", {}, progress_callback=progressed)

        tools, called = run(session, process=process, path="weather/mcp", mode="legacy", headers={})
        assert [it.name for it in tools] == ["slow"] and called.content[0].text == "done"
        assert {path for _, path, _ in server.calls} == {"/base/mcp"}
        assert {session for _, _, session in server.calls[1:]} == {"session-1"}
        assert ("DELETE", "/base/mcp", "session-1") in server.calls


def test_the_stand_in_is_passed_through(dev):
    """The stand-in's server, through a gateway, by the newest client: it falls back to `initialize`."""
    apis = {"local": {"mcp": True, "url": f"{dev.mcp}/mcp" if not dev.mcp.endswith("/mcp") else dev.mcp, "path": "local/mcp", "key": False}}
    with gateway(apis=apis) as process:

        async def session(it):
            return await it.call_tool("echo", {"text": "hi"}), await it.call_tool("add", {"a": 1, "b": 2})

        echo, add = run(session, process=process, path="local/mcp", headers={})
        assert (echo.content[0].text, add.content[0].text) == ("hi", "3.0") or add.content[0].text == "3"
