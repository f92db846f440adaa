"""A GraphQL API over Azure SQL: the gateway's own client, over TLS, against a stand-in of the database."""

import base64
import contextlib
import datetime
import decimal
import json

import pytest
import requests

from conftest import Process
from servers import gateway, policies
from tds import Certificate, Database, Routed, SqlError

SCHEMA = """
type Query { person(id: ID): Person people(city: String, adults: Boolean): People }
type Mutation { save(id: ID!, name: String): Person }
type People { items: [Person!]! }
type Person { id: ID name: String age: Int worth: Float born: String vip: Boolean photo: String note: String }
"""

SELECT = "SELECT p.* FROM [Person] p WHERE @id = p.[Id]"
SAVE = "INSERT INTO [Person] ([Id], [Name]) VALUES (@id, @name) SELECT @id AS [id], @name AS [name]"
REQUESTS = {
    "Query/person": f"""<request single-result="true"><sql-statement>
        {SELECT} </sql-statement>
        <parameters><parameter name="@id" sql-type="Int">
            @(context.GraphQL.Arguments["id"])
        </parameter></parameters></request>""",
    "Query/people": """<request><sql-statement>SELECT * FROM [Person] WHERE [City] = @city</sql-statement>
        <parameters>
            <parameter name="@city">@(context.GraphQL.Arguments["city"])</parameter>
            <parameter name="@adults" sql-type="Bit">@(context.GraphQL.Arguments["adults"])</parameter>
            <parameter name="@least" sql-type="Decimal">17.50</parameter>
        </parameters></request>""",
    "Mutation/save": """<request single-result="true"><sql-statement>STATEMENT</sql-statement>
        <parameters>
            <parameter name="@id">@(context.GraphQL.Arguments["id"])</parameter>
            <parameter name="@name">@(context.GraphQL.Arguments["name"])</parameter>
        </parameters></request>
        <response><set-body template="liquid">{ "id": "{{ body.id }}", "name": "{{ body.name }}!" }</set-body></response>""".replace("STATEMENT", SAVE),
}

ANN = {
    "id": 1,
    "name": "Ann é 😀",
    "age": 30,
    "worth": decimal.Decimal("-12.05"),
    "born": datetime.datetime(1994, 2, 28, 23, 59, 1, 500000),
    "vip": True,
    "photo": b"\x00\xff",
    "note": "x",
}


@contextlib.contextmanager
def session(database, secret="User ID=me;Password='p;w';Encrypt=True;", trusted=None, by_identity=False, hosts=None):
    """Asks a gateway whose resolvers ask that database."""
    connection = f"Server=tcp:127.0.0.1,{database.port};Initial Catalog=people;{secret}"
    files = {
        "apis/p/apiInformation.json": {"properties": {"path": "p", "type": "graphql", "protocols": ["http"]}},
        "apis/p/specification.graphql": SCHEMA,
        "apis/p/policy.xml": policies(),
    }
    for path, request in REQUESTS.items():
        folder = f"apis/p/resolvers/{path.replace('/', '-').lower()}"
        files[f"{folder}/resolverInformation.json"] = {"properties": {"path": path}}
        files[f"{folder}/policy.xml"] = f"""<sql-data-source><connection-info>
            <connection-string use-managed-identity="{str(by_identity).lower()}">
                {connection}
            </connection-string></connection-info>{request}</sql-data-source>"""
    env = {"ACME_KEY": "k1", "SSL_CERT_FILE": str(trusted or database.certificate.pem)}
    with gateway(files, env=env, keys={"acme": {"env": "ACME_KEY"}}, hosts=hosts or {}) as process:

        def ask(query, **variables):
            answer = requests.post(
                f"{process.at.gateway}/p",
                json={"query": query, "variables": variables},
                headers={"Ocp-Apim-Subscription-Key": "k1"},
                timeout=60,
            )
            return answer.json()

        ask.process = process
        yield ask


def code(answer):
    return answer["errors"][0]["extensions"]["code"], answer["errors"][0]["message"]


ALL = "{ person(id: 7) { id name age worth born vip photo note } }"


@pytest.mark.parametrize("encrypt", ["", "Encrypt=True;", "Encrypt=Strict;"])
def test_rows_are_the_values_of_fields(encrypt):
    seen, logins = [], []

    def answer(statement, values, declared):
        seen.append((statement, values, declared))
        if "INSERT" in statement:
            return [{"id": values["@id"], "name": values["@name"]}]
        empty = {**ANN, **{name: None for name in ANN if name != "id"}}
        return [ANN, empty] if "City" in statement else [ANN]

    with Database(answer, lambda *it: logins.append(it)) as database:
        with session(database, f"User ID=me;Password='p;w';{encrypt}") as ask:
            person = ask(ALL)["data"]["person"]
            assert person == {
                "id": "1",
                "name": "Ann é 😀",
                "age": 30,
                "worth": -12.05,
                "born": "1994-02-28T23:59:01.5000000",
                "vip": True,
                "photo": "AP8=",
                "note": "x",
            }
            found = ask('{ people(city: "B", adults: true) { items { id name age worth born vip photo note } } }')
            assert found["data"]["people"]["items"] == [person, {**dict.fromkeys(person), "id": "1"}]
            attack = "x'); DROP TABLE [Person]; --" + "y" * 9000
            saved = ask("mutation m($n: String) { save(id: 3, name: $n) { id name } }", n=attack)
            assert saved["data"]["save"] == {"id": "3", "name": attack + "!"}
            assert ask("{ people { items { id } } }")["data"]["people"]["items"]
            told = ask.process.text() + ask.process.output()
            assert "p;w" not in told
    assert logins == [("me", "p;w", None, "people")] * 4
    assert seen == [
        (SELECT, {"@id": "7"}, "@id int"),
        (
            "SELECT * FROM [Person] WHERE [City] = @city",
            {"@city": "B", "@adults": "1", "@least": "17.50"},
            "@city nvarchar(max),@adults bit,@least decimal(38,2)",
        ),
        (SAVE, {"@id": "3", "@name": attack}, "@id nvarchar(max),@name nvarchar(max)"),
        (
            "SELECT * FROM [Person] WHERE [City] = @city",
            {"@city": None, "@adults": None, "@least": "17.50"},
            "@city nvarchar(max),@adults bit,@least decimal(38,2)",
        ),
    ]


def test_errors_of_the_database_are_told_by_their_number():
    def answer(statement, values, _):
        if values.get("@id") == "0":
            return []
        if values.get("@id") == "2":
            return [{"id": at} for at in range(10_001)]
        if values.get("@id") == "3":
            return [{"note": "x" * 1_000_000} for _ in range(20)]
        raise SqlError(208)

    def login(user, *_):
        if user != "me":
            raise SqlError(18456)

    with Database(answer, login) as database:
        with session(database) as ask:
            assert code(ask(ALL)) == ("BackendErrorStatusCode", "The data source answered error 208.")
            assert ask("{ person(id: 0) { id } }") == {"data": {"person": None}}
            for at in (2, 3):
                told = code(ask("query q($id: ID) { person(id: $id) { id } }", id=at))
                assert told == ("UnreadableResponse", "The data source has answered too much.")
            assert "Secret details" not in ask.process.text() + ask.process.output()
        with session(database, "User ID=you;Password=p;") as ask:
            assert code(ask(ALL))[1] == "The data source answered error 18456."


UNREACHED = ("BackendConnectionFailure", "The data source cannot be reached.")


def test_a_connection_that_is_not_protected_is_not_used():
    logins = []

    with Database(lambda *_: [ANN], lambda *it: logins.append(it)) as database:
        for encrypt in ("", "Encrypt=Strict;"):
            with session(database, f"User ID=me;Password=p;{encrypt}", trusted=Certificate().pem) as ask:
                assert code(ask(ALL)) == UNREACHED
            with session(database, f"User ID=me;Password=p;HostNameInCertificate=other;{encrypt}") as ask:
                assert code(ask(ALL)) == UNREACHED
    with Database(lambda *_: [ANN], lambda *it: logins.append(it), encrypts=False) as database:
        with session(database) as ask:
            assert code(ask(ALL)) == UNREACHED
    assert logins == []


def test_a_login_is_sent_on_to_the_node_of_the_database_once():
    certificate = Certificate()
    with Database(lambda *_: [ANN], certificate=certificate) as node:

        def route(*_):
            raise Routed("127.0.0.1", node.port)

        with Database(lambda *_: [], route, certificate) as front, session(front) as ask:
            assert ask("{ person(id: 1) { age } }") == {"data": {"person": {"age": 30}}}
            assert (front.connections, node.connections) == (1, 1)

    def around(*_):
        raise Routed("127.0.0.1", database.port)

    with Database(lambda *_: [ANN], around) as database, session(database) as ask:
        assert code(ask(ALL)) == UNREACHED
        assert database.connections == 2


def test_the_managed_identity_logs_in_with_a_token():
    logins = []

    with Process("simulate", "imds", "--ports", "ephemeral") as stand_in:
        hosts = {"169.254.169.254": stand_in.at.imds.removeprefix("http://").rstrip("/")}
        with Database(lambda *_: [ANN], lambda *it: logins.append(it)) as database:
            with session(database, "", by_identity=True, hosts=hosts) as ask:
                assert ask("{ person(id: 1) { age } }") == {"data": {"person": {"age": 30}}}
                ((user, password, token, _),) = logins
                claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
                assert (user, password, claims["aud"]) == ("", "", "https://database.windows.net/")
                assert token not in ask.process.text() + ask.process.output()
