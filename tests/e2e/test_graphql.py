"""A GraphQL API over REST services: an unmodified GraphQL client, introspection included, and its
subscriptions over WebSocket."""

import asyncio
import contextlib
import json
import threading

import pytest
import requests
from gql import Client, gql
from gql.transport.exceptions import TransportQueryError
from gql.transport.requests import RequestsHTTPTransport
from gql.transport.websockets import WebsocketsTransport
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from websockets.sync.server import serve

from http_calls import eventually
from servers import Backend, gateway, policies, read_all, text
from test_limits import Redis

SCHEMA = """
type Query { users: [User!] user(id: ID!): User posts: [Post!] }
type Mutation { makeUser(name: String!): User }
type User { id: ID! name: String! posts(first: Int = 10): [Post!] }
type Post { title: String! }
"""

USERS = [{"id": 1, "username": "Ann"}, {"id": 2, "username": "Bob"}]


class Rest:
    """Users and posts as a REST service has them."""

    def __init__(self):
        self.calls = []
        self.together = None
        self.backend = Backend(self.answer)

    def answer(self, handler):
        body = read_all(handler)
        self.calls.append((handler.command, handler.path, body.decode(), dict(handler.headers)))
        if self.together:
            self.together.wait(timeout=10)
        path = handler.path.partition("?")[0]
        match path.split("/")[1:]:
            case ["users"] if handler.command == "POST":
                name = json.loads(body)["name"]
                found = {"id": "3", "name": name}
            case ["users"]:
                found = USERS
            case ["users", id]:
                found = next(({"id": it["id"], "name": it["username"]} for it in USERS if str(it["id"]) == id), None)
            case ["users", id, "posts"]:
                found = [{"title": f"{id}-{at}"} for at in range(3)]
            case ["posts"]:
                found = [{"title": "all"}]
        if found is None:
            return text(handler, "{}", 404, Content_Type="application/json")
        return text(handler, json.dumps(found), Content_Type="application/json")


def resolver(method, url, request="", response=""):
    return (
        f"<http-data-source><http-request><set-method>{method}</set-method><set-url>{url}</set-url>"
        f"{request}</http-request>{response}</http-data-source>"
    )


RENAMED = """<http-response><set-body template="liquid">[
{% JSONArrayFor it in body %} { "id": "{{it.id}}", "name": "{{it.username}}" } {% endJSONArrayFor %}
]</set-body></http-response>"""

NAMED = """<set-header name="Content-Type"><value>application/json</value></set-header>
<set-body>@(new JObject(new JProperty("name", context.GraphQL.Arguments["name"])).ToString())</set-body>"""


@contextlib.contextmanager
def api(policy=policies(), **more):
    """A gateway with the artifacts of a GraphQL API: the process and the REST service."""
    rest = Rest()
    with rest.backend:
        at = rest.backend.url
        documents = {
            "Query/users": resolver("GET", f"{at}/users", response=RENAMED),
            "Query/user": resolver("GET", f'@($"{at}/users/{{context.GraphQL.Arguments["id"]}}")'),
            "Query/posts": resolver("GET", f"{at}/posts"),
            "User/posts": resolver(
                "GET",
                f'@($"{at}/users/{{context.GraphQL.Parent["id"]}}/posts?first={{context.GraphQL.Arguments["first"]}}")',
            ),
            "Mutation/makeUser": resolver("POST", f"{at}/users", NAMED),
        }
        information = {"properties": {"path": "social", "type": "graphql", "protocols": ["http"]}}
        files = {
            "apis/social/apiInformation.json": information,
            "apis/social/specification.graphql": SCHEMA,
            "apis/social/policy.xml": policy,
        }
        for path, document in documents.items():
            folder = f"apis/social/resolvers/{path.replace('/', '-').lower()}"
            files[f"{folder}/resolverInformation.json"] = {"properties": {"path": path}}
            files[f"{folder}/policy.xml"] = document
        settings = {"keys": {"acme": {"env": "ACME_KEY"}}, **more}
        with gateway(files, env={"ACME_KEY": "k1"}, **settings) as process:
            yield process, rest


def client(process, **more):
    transport = RequestsHTTPTransport(
        url=f"{process.at.gateway}/social", headers={"Ocp-Apim-Subscription-Key": "k1"}, timeout=20
    )
    return Client(transport=transport, **more)


def test_a_real_client_reads_the_schema_and_asks_across_services():
    with api() as (process, rest):
        with client(process, fetch_schema_from_transport=True) as session:
            assert "posts" in session.client.schema.type_map["User"].fields
            query = gql("query all($n: Int) { users { id name posts(first: $n) { title } } }")
            query.variable_values = {"n": 2}
            found = session.execute(query)
        assert [it["name"] for it in found["users"]] == ["Ann", "Bob"]
        assert found["users"][1]["posts"][0] == {"title": "2-0"}
        paths = sorted(path for _, path, _, _ in rest.calls)
        assert paths == ["/users", "/users/1/posts?first=2", "/users/2/posts?first=2"]
        # Nothing of the client's request goes to the services unasked.
        names = {name.lower() for _, _, _, headers in rest.calls for name in headers}
        assert "ocp-apim-subscription-key" not in names and "content-type" not in names


def test_the_access_log_names_the_backend_that_a_resolver_asked():
    with api() as (process, rest), client(process) as session:
        session.execute(gql('{ user(id: "1") { name } }'))
        process.stop()
        lines = [json.loads(it) for it in process.output().splitlines() if it.startswith("{")]
        (line,) = [it for it in lines if it["Url"].endswith("/social")]
        assert line["BackendUrl"] == f"{rest.backend.url}/users/1", line
        assert (line["BackendMethod"], line["BackendResponseCode"]) == ("GET", 200)


def test_fields_are_resolved_at_the_same_time():
    with api() as (process, rest), client(process) as session:
        rest.together = threading.Barrier(3)
        query = gql('{ users { id } posts { title } user(id: "1") { name } }')
        found = session.execute(query)
        assert found["user"] == {"name": "Ann"} and found["posts"] == [{"title": "all"}]


def test_a_mutation_sends_its_arguments_and_an_error_has_its_path():
    with api() as (process, rest), client(process) as session:
        made = session.execute(gql('mutation { makeUser(name: "Cy") { id name } }'))
        assert made == {"makeUser": {"id": "3", "name": "Cy"}}
        assert json.loads(rest.calls[-1][2]) == {"name": "Cy"}
        with pytest.raises(TransportQueryError) as error:
            session.execute(gql('{ user(id: "9") { name } posts { title } }'))
        assert error.value.data == {"user": None, "posts": [{"title": "all"}]}
        assert error.value.errors[0]["path"] == ["user"]
        assert error.value.errors[0]["extensions"] == {"code": "BackendErrorStatusCode"}


def test_keys_and_rules_hold():
    rules = """<validate-graphql-request max-size="10000" max-depth="3"><authorize>
        <rule path="/__*" action="reject" /><rule path="/User/posts" action="remove" />
        </authorize></validate-graphql-request>"""
    with api(policies(inbound=rules)) as (process, rest):
        url, key = f"{process.at.gateway}/social", {"Ocp-Apim-Subscription-Key": "k1"}
        ask = lambda query, headers=key: requests.post(
            url, json={"query": query}, headers=headers, timeout=20
        )
        assert ask("{ users { id } }", {}).status_code == 401
        denied = ask("{ __schema { types { name } } }")
        assert denied.status_code == 400 and "data" not in denied.json()
        parted = ask("{ users { name posts { title } } }").json()
        assert parted["data"] == {"users": [{"name": "Ann"}, {"name": "Bob"}]}
        assert parted["errors"][0]["extensions"] == {"code": "FIELD_ACCESS_DENIED"}
        assert [path for _, path, _, _ in rest.calls] == ["/users"]
        got = requests.get(url, params={"query": "{ posts { title } }"}, headers=key, timeout=20)
        assert got.json() == {"data": {"posts": [{"title": "all"}]}}


def test_an_existing_graphql_service_is_passed_through():
    def answer(handler):
        asked = json.loads(read_all(handler))
        text(handler, json.dumps({"data": {"asked": asked["query"]}}), Content_Type="application/json")

    with Backend(answer) as backend:
        apis = {"g": {"graphql": True, "url": f"{backend.url}/graphql", "path": "g", "key": False}}
        with gateway({}, apis=apis) as process:
            answer = requests.post(f"{process.at.gateway}/g", json={"query": "{ any }"}, timeout=20)
            assert answer.json() == {"data": {"asked": "{ any }"}}
            assert requests.put(f"{process.at.gateway}/g", timeout=20).status_code == 404


def test_fields_without_a_resolver_are_asked_of_the_existing_service():
    asked = []

    def existing(handler):
        asked.append(json.loads(read_all(handler))["query"])
        data = {"user": {"name": "Ann", "portcullis___typename": "User", "portcullis_id": "1"}}
        text(handler, json.dumps({"data": data}), Content_Type="application/json")

    rest = Rest()
    with Backend(existing) as backend, rest.backend:
        posts = resolver("GET", f'@($"{rest.backend.url}/users/{{context.GraphQL.Parent["id"]}}/posts")')
        files = {"schema.graphql": SCHEMA, "posts.xml": posts}
        g = {"graphql": "schema.graphql", "resolvers": {"User/posts": "posts.xml"}, "url": backend.url, "key": False}
        with gateway(files, apis={"social": g}) as process:
            query = '{ user(id: "1") { name posts { title } } }'
            url = f"{process.at.gateway}/social"
            found = requests.post(url, json={"query": query}, timeout=20).json()
        assert found["data"]["user"]["name"] == "Ann"
        assert [it["title"] for it in found["data"]["user"]["posts"]] == ["1-0", "1-1", "1-2"]
        assert len(asked) == 1 and "posts" not in asked[0]


EVENTS = """
type Query { user: User }
type Mutation { makeUser(name: String!): User }
type Subscription { userMade: User! userGone: User }
type User { id: ID! name: String! secret: String posts(first: Int = 10): [Post!] }
type Post { title: String! }
"""

PUBLISHING = """<http-response><publish-event><targets>
<graphql-subscription id="userMade" /></targets></publish-event></http-response>"""

ONLY_SOME = """<validate-graphql-request max-size="1000" max-depth="4"><authorize>
<rule path="/User/secret" action="remove" /><rule path="/userGone" action="reject" />
</authorize></validate-graphql-request>"""


@contextlib.contextmanager
def eventful(policy=policies(), **more):
    """A gateway with a GraphQL API whose mutation publishes an event."""
    rest = Rest()
    with rest.backend:
        at = rest.backend.url
        documents = {
            "Query/user": resolver("GET", f"{at}/users/1"),
            "Mutation/makeUser": resolver("POST", f"{at}/users", NAMED, PUBLISHING),
            "User/posts": resolver("GET", f'@($"{at}/users/{{context.GraphQL.Parent["id"]}}/posts")'),
        }
        files = {
            "apis/e/apiInformation.json": {"properties": {"path": "e", "type": "graphql", "protocols": ["http", "ws"]}},
            "apis/e/specification.graphql": EVENTS,
            "apis/e/policy.xml": policy,
        }
        for path, document in documents.items():
            folder = f"apis/e/resolvers/{path.replace('/', '-').lower()}"
            files[f"{folder}/resolverInformation.json"] = {"properties": {"path": path}}
            files[f"{folder}/policy.xml"] = document
        with gateway(files, env={"ACME_KEY": "k1"}, keys={"acme": {"env": "ACME_KEY"}}, **more) as process:
            process.rest = rest
            process.socket = process.at.gateway.replace("http", "ws") + "/e"
            yield process


def make_user(process, name):
    answer = requests.post(
        f"{process.at.gateway}/e",
        json={"query": "mutation m($n: String!) { makeUser(name: $n) { id } }", "variables": {"n": name}},
        headers={"Ocp-Apim-Subscription-Key": "k1"},
        timeout=20,
    )
    assert "errors" not in answer.json(), answer.text


def subscribing(process, headers={"Ocp-Apim-Subscription-Key": "k1"}):
    transport = WebsocketsTransport(
        url=process.socket, headers=headers, subprotocols=["graphql-transport-ws"], close_timeout=5
    )
    return Client(transport=transport, execute_timeout=20)


def test_a_real_client_is_told_of_events():
    async def talk(process):
        async with subscribing(process) as session:
            made, wanted = [], gql("subscription { new: userMade { __typename name posts { title } } }")
            events = session.subscribe(wanted)
            waiting = asyncio.ensure_future(anext(events))
            while not session.transport.listeners:
                await asyncio.sleep(0.01)
            # Messages keep their order: once the pong is there, so is the subscription.
            await session.transport.send_ping()
            await asyncio.wait_for(session.transport.pong_received.wait(), 20)
            for name in ("Ann", "Bob"):
                await asyncio.to_thread(make_user, process, name)
                made.append(await asyncio.wait_for(waiting, 20))
                waiting = asyncio.ensure_future(anext(events))
            waiting.cancel()
            return made

    with eventful() as process:
        made = asyncio.run(talk(process))
        assert [it["new"]["name"] for it in made] == ["Ann", "Bob"]
        assert made[0]["new"]["__typename"] == "User"
        assert made[1]["new"]["posts"][0] == {"title": "3-0"}


def test_events_reach_the_subscribers_of_another_gateway_through_redis():
    with Redis() as redis:
        shared = {"counters": {"redis": redis.url, "events": "shared", "timeout": "5s"}}
        with eventful(**shared) as one, eventful(**shared) as two:
            with raw(one) as at_one, raw(two) as at_two:
                for socket in (at_one, at_two):
                    begun(socket)
                    subscribe(socket, "subscription { userMade { name posts { title } } }")
                    assert hear(socket) == {"type": "pong"}

                def told(socket):
                    message = hear(socket)
                    assert message["type"] == "next", message
                    return message["payload"]["data"]["userMade"]

                for at in range(20):
                    make_user(two if at % 2 else one, f"n{at}")
                    for socket in (at_one, at_two):
                        user = told(socket)
                        assert user["name"] == f"n{at}" and len(user["posts"]) == 3

                redis.kill()
                assert eventually(lambda: all("are not heard" in it.text() for it in (one, two)))
                for name in ("lost", "lost too"):
                    make_user(two, name)
                    assert told(at_two)["name"] == name
                redis.start()

                def is_through():
                    make_user(two, "again")
                    assert told(at_two)["name"] == "again"
                    try:
                        return "again" in at_one.recv(timeout=0.2)
                    except TimeoutError:
                        return False

                assert eventually(is_through, seconds=30)
            for process in (one, two):
                assert process.text().count("are not heard") == 1


def raw(process, **more):
    headers = more.pop("headers", {"Ocp-Apim-Subscription-Key": "k1"})
    return connect(process.socket, subprotocols=["graphql-transport-ws"], additional_headers=headers, **more)


def say(socket, kind, **more):
    socket.send(json.dumps({"type": kind, **more}))


def hear(socket):
    return json.loads(socket.recv(timeout=20))


def begun(socket):
    say(socket, "connection_init", payload={"any": "thing"})
    assert hear(socket) == {"type": "connection_ack"}
    return socket


def subscribe(socket, query, id="1"):
    say(socket, "subscribe", id=id, payload={"query": query})
    say(socket, "ping")


def test_handshakes_pass_the_policies_and_need_a_key_and_the_protocol():
    closed = policies('<check-header name="x-pass" failed-check-httpcode="403" failed-check-error-message="no">'
                      "<value>yes</value></check-header>")
    key = {"Ocp-Apim-Subscription-Key": "k1"}
    with eventful(closed) as process:
        for headers, protocols, status in [
            ({"x-pass": "yes"}, ["graphql-transport-ws"], 401),
            (key, ["graphql-transport-ws"], 403),
            ({**key, "x-pass": "yes"}, ["graphql-ws"], 400),
            ({**key, "x-pass": "yes"}, None, 400),
        ]:
            with pytest.raises(InvalidStatus) as error:
                connect(process.socket, subprotocols=protocols, additional_headers=headers)
            assert error.value.response.status_code == status
        with pytest.raises(InvalidStatus) as error:
            connect(f"{process.socket}/below", subprotocols=["graphql-transport-ws"], additional_headers=key)
        assert error.value.response.status_code == 404
        with raw(process, headers={**key, "x-pass": "yes"}) as socket:
            assert socket.subprotocol == "graphql-transport-ws"
            begun(socket)


def test_rules_hold_for_each_subscription():
    with eventful(policies(inbound=ONLY_SOME)) as process:
        with raw(process) as socket:
            begun(socket)
            subscribe(socket, "subscription { userGone { name } }")
            refused = hear(socket)
            assert (refused["id"], refused["type"]) == ("1", "error")
            assert refused["payload"][0]["extensions"] == {"code": "FIELD_ACCESS_DENIED"}
            assert hear(socket) == {"type": "pong"}
            subscribe(socket, "subscription { userMade { name secret } }")
            assert hear(socket) == {"type": "pong"}
            make_user(process, "Ann")
            told = hear(socket)
            assert told["payload"]["data"] == {"userMade": {"name": "Ann"}}
            assert told["payload"]["errors"][0]["path"] == ["userMade", "secret"]
            for query, code in [
                ("{ user { name } }", "OPERATION_NOT_SUPPORTED"),
                ("mutation { makeUser(name: \"x\") { name } }", "OPERATION_NOT_SUPPORTED"),
                ("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"),
            ]:
                subscribe(socket, query, id="2")
                refused = hear(socket)
                assert refused["payload"][0]["extensions"] == {"code": code}
                assert hear(socket) == {"type": "pong"}


def test_the_protocol_is_kept_and_connections_end_as_it_says():
    def ended(*messages, greeted=True):
        with raw(process) as socket:
            if greeted:
                begun(socket)
            for message in messages:
                socket.send(message)
            with pytest.raises(ConnectionClosed) as error:
                while True:
                    socket.recv(timeout=20)
            return error.value.rcvd.code, error.value.rcvd.reason

    operation = json.dumps({"type": "subscribe", "id": "7", "payload": {"query": "subscription { userMade { id } }"}})
    with eventful() as process:
        assert ended(operation, operation) == (4409, "Subscriber for 7 already exists")
        assert ended(operation, greeted=False) == (4401, "Unauthorized")
        assert ended('{"type":"connection_init"}') == (4429, "Too many initialisation requests")
        assert ended("{}")[0] == 4400
        assert ended(b"\x00")[0] == 4400
        assert ended("x" * 600_000)[0] == 1009
        with raw(process) as socket:
            begun(socket)
            subscribe(socket, "subscription { userMade { id } }")
            assert hear(socket) == {"type": "pong"}
            say(socket, "complete", id="1")
            for at in range(100):
                subscribe(socket, "subscription { userMade { id } }", id=f"n{at}")
                assert hear(socket) == {"type": "pong"}
            subscribe(socket, "subscription { userMade { id } }", id="more")
            assert hear(socket)["payload"][0]["extensions"] == {"code": "TOO_MANY_SUBSCRIPTIONS"}
            make_user(process, "Ann")
            assert hear(socket) == {"type": "pong"}
            told = {hear(socket)["id"] for _ in range(100)}
            assert told == {f"n{at}" for at in range(100)}


def test_a_gateway_that_ends_says_goodbye():
    with eventful() as process:
        with raw(process) as socket:
            begun(socket)
            process.stop()
            with pytest.raises(ConnectionClosed) as error:
                socket.recv(timeout=20)
            assert error.value.rcvd.code == 1001


class Service:
    """A GraphQL service with subscriptions of its own, that remembers what it hears."""

    def __init__(self):
        self.heard, self.handshakes = [], []
        self.server = serve(
            self.talk, "127.0.0.1", 0, subprotocols=["graphql-transport-ws"], compression="deflate"
        )
        self.url = f"http://127.0.0.1:{self.server.socket.getsockname()[1]}/graphql"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def talk(self, connection):
        self.handshakes.append(connection.request)
        with contextlib.suppress(ConnectionClosed):
            for text in connection:
                message = json.loads(text)
                self.heard.append(message)
                if message["type"] == "connection_init":
                    connection.send(json.dumps({"type": "connection_ack"}))
                elif message["type"] == "ping":
                    connection.send(json.dumps({"type": "pong"}))
                elif message["type"] == "subscribe":
                    data = {"data": {"userMade": {"name": "x" * 100_000}}}
                    connection.send(json.dumps({"id": message["id"], "type": "next", "payload": data}))
                    connection.send(json.dumps({"id": message["id"], "type": "complete"}))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()


def test_subscriptions_of_an_existing_service_pass_and_nothing_else_does():
    with Service() as service:
        files = {"e.graphql": EVENTS, "rules.xml": policies(inbound=ONLY_SOME)}
        apis = {
            "e": {"graphql": "e.graphql", "url": service.url, "policy": "rules.xml"},
            "plain": {"graphql": True, "url": service.url, "key": False},
        }
        with gateway(files, apis=apis, env={"ACME_KEY": "k1"}, keys={"acme": {"env": "ACME_KEY"}}) as process:
            process.socket = process.at.gateway.replace("http", "ws") + "/e"
            with pytest.raises(InvalidStatus) as error:
                raw(process, headers={})
            assert error.value.response.status_code == 401
            with raw(process) as socket:
                begun(socket)
                subscribe(socket, "subscription { userMade { name secret } }")
                told = hear(socket)
                assert told["payload"]["data"]["userMade"]["name"] == "x" * 100_000
                assert told["payload"]["errors"][0]["extensions"] == {"code": "FIELD_ACCESS_DENIED"}
                assert hear(socket) == {"id": "1", "type": "complete"}
                assert hear(socket) == {"type": "pong"}
                subscribe(socket, "{ user { name } }")
                assert hear(socket)["payload"][0]["extensions"] == {"code": "OPERATION_NOT_SUPPORTED"}
                assert hear(socket) == {"type": "pong"}
                # The same member twice: what is checked is what is sent on.
                twice = '"query":"subscription { userGone { name } }","query":"subscription { userMade { name } }"'
                socket.send('{"type":"subscribe","id":"9","payload":{' + twice + "}}")
                assert hear(socket)["id"] == "9"
            queries = [it["payload"]["query"] for it in service.heard if it["type"] == "subscribe"]
            assert len(queries) == 2 and not any("secret" in it or "userGone" in it for it in queries)
            assert service.heard[0] == {"type": "connection_init", "payload": {"any": "thing"}}
            assert "Sec-WebSocket-Extensions" not in service.handshakes[0].headers

            process.socket = process.at.gateway.replace("http", "ws") + "/plain"
            with raw(process, headers={}) as socket:
                begun(socket)
                subscribe(socket, "query { user { name } }")
                assert hear(socket)["payload"][0]["extensions"] == {"code": "OPERATION_NOT_SUPPORTED"}
                assert hear(socket) == {"type": "pong"}
                subscribe(socket, "subscription { anything }")
                assert hear(socket)["type"] == "next"
