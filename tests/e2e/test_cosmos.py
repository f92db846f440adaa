"""A GraphQL API over Azure Cosmos DB: an unmodified GraphQL client, and the stand-in, which is asked
directly, too, with signatures that are made here."""

import base64
import contextlib
import email.utils
import hashlib
import hmac
import json
import urllib.parse

import pytest
import requests
from gql import Client, gql
from gql.transport.exceptions import TransportQueryError
from gql.transport.requests import RequestsHTTPTransport
from servers import gateway, policies

from conftest import Process

SCHEMA = """
type Query { people(city: String, first: Int, after: String): People person(id: ID!): Person anyone(id: ID!): Person }
type Mutation { save(id: ID!, name: String, city: String, age: Int): Person
                replace(id: ID!, city: String!, name: String, tag: String!): Person
                delete(id: ID!, city: String!): Boolean }
type People { items: [Person!]! continuationToken: String }
type Person { id: ID! name: String city: String age: Int tag: String }
"""

CITY = '<partition-key>@((string)context.GraphQL.Arguments["city"])</partition-key>'
ID = '<id>@((string)context.GraphQL.Arguments["id"])</id>'
TAGGED = """<response><set-body>@{
    if (context.Response.Body.As<string>(preserveContent: true) == "null") { return "null"; }
    var person = context.Response.Body.As<JObject>(); person["tag"] = person["_etag"]; return person.ToString(); }
</set-body></response>"""
REQUESTS = {
    "Query/people": """<query-request>
        <sql-statement>SELECT * FROM c WHERE c.city = @city AND c.age >= @least ORDER BY c.age DESC</sql-statement>
        <parameters>
            <parameter name="@city">@(context.GraphQL.Arguments["city"])</parameter>
            <parameter name="@least">@(18)</parameter>
        </parameters>
        <partition-key template="liquid">{{ body.arguments.city }}</partition-key>
        <paging>
            <max-item-count>@((int)context.GraphQL.Arguments["first"])</max-item-count>
            <continuation-token>@((string)context.GraphQL.Arguments["after"] ?? "")</continuation-token>
        </paging>
    </query-request>""",
    "Query/person": f"<read-request>{ID}<partition-key>Bern</partition-key></read-request>{TAGGED}",
    "Query/anyone": f"<read-request>{ID}</read-request>",
    "Mutation/save": "<write-request />",
    "Mutation/replace": f"""<write-request type="replace">
        {ID}<etag>@((string)context.GraphQL.Arguments["tag"])</etag>
        <set-body template="liquid">{{"id": "{{{{body.arguments.id}}}}", "name": "{{{{body.arguments.name}}}}", "city": "{{{{body.arguments.city}}}}"}}</set-body>
        {CITY}
    </write-request>""",
    "Mutation/delete": f"<delete-request>{ID}{CITY}</delete-request>",
}


class Account:
    """The stand-in's account, asked over REST with signatures of our own."""

    def __init__(self, url, key):
        self.url, self.key = url, base64.b64decode(key)

    def ask(self, method, path, body=None, key=None, **headers):
        parts = path.split("/")
        kind, link = (parts[-1], parts[:-1]) if len(parts) % 2 else (parts[-2], parts)
        date = email.utils.formatdate(usegmt=True)
        signed = f"{method.lower()}\n{kind}\n{'/'.join(link)}\n{date.lower()}\n\n"
        tag = base64.b64encode(hmac.new(key or self.key, signed.encode(), hashlib.sha256).digest()).decode()
        authorization = urllib.parse.quote(f"type=master&ver=1.0&sig={tag}", safe="")
        headers |= {"authorization": authorization, "x-ms-date": date, "x-ms-version": "2018-12-31"}
        data = None if body is None else json.dumps(body)
        return requests.request(method, f"{self.url}/{path}", data=data, headers=headers, timeout=20)

    def document(self, id, city):
        named = {"x-ms-documentdb-partitionkey": json.dumps([city])}
        return self.ask("GET", f"dbs/shop/colls/people/docs/{id}", **named).json()


@pytest.fixture(scope="module")
def stand_ins():
    with Process("simulate", "cosmos", "imds", "--ports", "ephemeral") as process:
        account = Account(process.at.cosmos, process.at.cosmos_key)
        assert account.ask("POST", "dbs", {"id": "shop"}).status_code == 201
        people = {"id": "people", "partitionKey": {"paths": ["/city"], "kind": "Hash"}}
        assert account.ask("POST", "dbs/shop/colls", people).status_code == 201
        yield process.at, account


@contextlib.contextmanager
def session(at, by_identity=False):
    """A GraphQL client of a gateway in front of the account."""
    secret = "" if by_identity else f"AccountKey={at.cosmos_key};"
    files = {
        "apis/people/apiInformation.json": {"properties": {"path": "people", "type": "graphql", "protocols": ["http"]}},
        "apis/people/specification.graphql": SCHEMA,
        "apis/people/policy.xml": policies(),
    }
    for path, asked in REQUESTS.items():
        folder = f"apis/people/resolvers/{path.replace('/', '-').lower()}"
        files[f"{folder}/resolverInformation.json"] = {"properties": {"path": path}}
        files[f"{folder}/policy.xml"] = f"""<cosmosdb-data-source><connection-info>
            <connection-string use-managed-identity="{str(by_identity).lower()}">
                AccountEndpoint=https://contoso.documents.azure.com:443/;{secret}
            </connection-string>
            <database-name>shop</database-name><container-name>people</container-name>
        </connection-info>{asked}</cosmosdb-data-source>"""
    place = lambda url: url.removeprefix("http://").rstrip("/")
    hosts = {
        "*.documents.azure.com": {"address": place(at.cosmos), "tls": False},
        "169.254.169.254": place(at.imds),
    }
    with gateway(files, env={"ACME_KEY": "k1"}, keys={"acme": {"env": "ACME_KEY"}}, hosts=hosts) as process:
        transport = RequestsHTTPTransport(
            url=f"{process.at.gateway}/people", headers={"Ocp-Apim-Subscription-Key": "k1"}, timeout=20
        )
        with Client(transport=transport, fetch_schema_from_transport=True) as client:
            yield lambda text: client.execute(gql(text))


@pytest.mark.parametrize("by_identity", [False, True])
def test_documents_are_written_read_queried_and_deleted(stand_ins, by_identity):
    at, account = stand_ins
    with session(at, by_identity) as ask:
        for id, name, city, age in [(1, "Ann", "Bern", 30), (2, "Bob", "Bern", 20), (3, "Cy", "Bern", 9), (4, "Di", "Ulm", 40)]:
            saved = ask(f'mutation {{ save(id: {id}, name: "{name}", city: "{city}", age: {age}) {{ id name }} }}')
            assert saved["save"] == {"id": str(id), "name": name}
        # The key of the partition was found in the document, by the container's definition.
        assert account.document("4", "Ulm")["age"] == 40

        page = ask('{ people(city: "Bern", first: 1) { items { name } continuationToken } }')["people"]
        assert [it["name"] for it in page["items"]] == ["Ann"]
        token = json.dumps(page["continuationToken"])
        page = ask(f'{{ people(city: "Bern", first: 1, after: {token}) {{ items {{ name }} continuationToken }} }}')["people"]
        assert page == {"items": [{"name": "Bob"}], "continuationToken": None}

        found = ask('{ person(id: 1) { name tag } gone: person(id: 4) { name } anyone(id: 4) { name } }')
        assert (found["person"]["name"], found["gone"], found["anyone"]) == ("Ann", None, {"name": "Di"})

        tag = json.dumps(found["person"]["tag"])
        change = f'mutation {{ replace(id: 1, city: "Bern", name: "Eve", tag: {tag}) {{ name }} }}'
        assert ask(change)["replace"] == {"name": "Eve"}
        with pytest.raises(TransportQueryError, match="The data source answered 412"):
            ask(change)

        assert ask('mutation { delete(id: 1, city: "Bern") }') == {"delete": None}
        assert ask("{ person(id: 1) { name } }") == {"person": None}
        with pytest.raises(TransportQueryError, match="The data source answered 404"):
            ask('mutation { delete(id: 1, city: "Bern") }')
        # Something in the arguments that means something in a query means nothing there.
        assert ask("""{ people(city: "Bern' OR 1 = 1", first: 9) { items { id } } }""")["people"]["items"] == []


def test_a_request_that_is_one_too_many_is_tried_again(stand_ins):
    at, _ = stand_ins
    fault = {"status": 429, "times": 2, "retry-after": 5, "retry-after-header": "x-ms-retry-after-ms"}
    with session(at) as ask:
        ask('mutation { save(id: 7, city: "Bern", name: "Gus") { id } }')
        requests.put(f"{at.cosmos}/.simulator/fault", json=fault, timeout=20).raise_for_status()
        assert ask("{ person(id: 7) { name } }") == {"person": {"name": "Gus"}}


def test_the_stand_in_checks_signatures_and_changes_documents_in_part(stand_ins):
    _, account = stand_ins
    assert account.ask("GET", "dbs/shop").status_code == 200
    assert account.ask("GET", "dbs/shop", key=b"other").status_code == 401
    named = {"x-ms-documentdb-partitionkey": '["Rome"]'}
    made = account.ask("POST", "dbs/shop/colls/people/docs", {"id": "p", "city": "Rome", "age": 1}, **named)
    assert made.status_code == 201
    change = {"operations": [{"op": "incr", "path": "/age", "value": 2}, {"op": "add", "path": "/name", "value": "P"}]}
    changed = account.ask("PATCH", "dbs/shop/colls/people/docs/p", change, **named)
    assert changed.status_code == 200 and (changed.json()["age"], changed.json()["name"]) == (3, "P")
