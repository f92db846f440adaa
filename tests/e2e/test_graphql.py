"""A GraphQL API over REST services: an unmodified GraphQL client, introspection included."""

import contextlib
import json
import threading

import pytest
import requests
from gql import Client, gql
from gql.transport.exceptions import TransportQueryError
from gql.transport.requests import RequestsHTTPTransport

from servers import Backend, gateway, policies, read_all, text

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
