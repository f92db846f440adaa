"""Azure's SDK for API Management against a running gateway: nothing of it is changed."""

import contextlib
import inspect
import json
import pathlib
import time

import pytest
import requests
from azure.core.credentials import AccessToken
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.identity import ClientSecretCredential
from azure.mgmt.apimanagement import ApiManagementClient

from conftest import Process
from servers import Backend, folder, text

GROUP, SERVICE = "portcullis", "portcullis"
SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
ID = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}"
    f"/providers/Microsoft.ApiManagement/service/{SERVICE}"
)
TOKEN = "a-static-token-of-the-tests-0123456789"
ANY_ETAG = {"if_match": "*"}


class Static:
    """A credential that has its token already."""

    def __init__(self, token):
        self.token = token

    def get_token(self, *_, **__):
        return AccessToken(self.token, int(time.time()) + 3600)


class Managed:
    """A `dev` on a folder of its own, with its management API and a client of it."""

    def __init__(self, process, files):
        self.process, self.files, self.at = process, files, process.at
        self.client = self.connect(Static(TOKEN))

    def connect(self, credential):
        return ApiManagementClient(
            credential,
            SUBSCRIPTION,
            base_url=self.at.management,
            credential_scopes=["https://management.azure.com/.default"],
            connection_verify=self.at.ca_file,
            retry_total=0,
        )

    def of(self, name):
        """An operation group by its name, each of its methods with the service's name filled in."""
        return Group(getattr(self.client, name))

    def raw(self, method, path, token=TOKEN, version="2024-05-01", **options):
        return requests.request(
            method,
            f"{self.at.management}{path}",
            params={"api-version": version} if version else {},
            headers={"Authorization": f"Bearer {token}"} if token else {},
            verify=self.at.ca_file,
            timeout=30,
            **options,
        )

    def call(self, path, **headers):
        answer = requests.get(f"{self.at.gateway}/{path}", headers=headers, timeout=30)
        return answer.status_code, answer.text


class Group:
    """Methods with or without `begin_`, awaited."""

    def __init__(self, group):
        self.group = group

    def __getattr__(self, name):
        method = getattr(self.group, name, None) or getattr(self.group, f"begin_{name}")

        def call(*arguments, **options):
            parameters = inspect.signature(method).parameters
            if "if_match" in parameters and "if_match" not in options and name in ("update", "delete"):
                options["if_match"] = "*"
            result = method(GROUP, SERVICE, *arguments, **options)
            return result.result() if hasattr(result, "result") else result

        return call


@contextlib.contextmanager
def managed(files=None, **settings):
    management = {"tokens": {"file": "tokens"}, **settings.pop("management", {})}
    with folder({"tokens": f"tests {TOKEN}\n", **(files or {})}, management=management, **settings) as it:
        arguments = ("--ports", "ephemeral", "--management", "127.0.0.1:0")
        with Process("dev", str(it.path), *arguments) as process:
            yield Managed(process, it)


@pytest.fixture(scope="module")
def backend():
    with Backend(lambda handler: text(handler, f"{handler.command} {handler.path}")) as it:
        yield it


@pytest.fixture
def it(backend):
    api = {"properties": {"displayName": "Echo", "path": "echo", "protocols": ["http", "https"],
                          "serviceUrl": backend.url, "subscriptionRequired": False}}
    get = {"properties": {"displayName": "Get", "method": "GET", "urlTemplate": "/*"}}
    files = {
        "apis/echo/apiInformation.json": api,
        "apis/echo/operations/get/operationInformation.json": get,
    }
    with managed(files) as it:
        yield it


def policy(inbound):
    return (
        "<policies>\r\n\t<inbound>\n<base />" + inbound + "</inbound><backend><base /></backend>"
        "<outbound><base /></outbound><on-error><base /></on-error></policies>\n"
    )


def answers(body):
    """A policy that answers by itself, with quotes inside of an expression."""
    return policy(
        "<return-response><set-status code=\"200\" /><set-body>@("
        f"\"{body}\" + (1 < 2 && true ? \"\" : \"no\"))</set-body></return-response>"
    )


# Every entity that the SDK knows and we serve: the operation group, names, what it is created with,
# what it is changed to where there is an update. Each may lean on those before it.
ENTITIES = json.loads((pathlib.Path(__file__).parent / "management_entities.json").read_text())


def listed(group, names):
    """The names in the list that the entity stands in."""
    lists = [it for it in dir(group.group) if it == "list" or it.startswith("list_by") and it != "list_by_tags"]
    found = getattr(group, "list_by_service" if "list_by_service" in lists else lists[0])(*names[:-1])
    return [entry.name for entry in getattr(found, "value", found)]


def create(group, names, properties):
    return group.create_or_update(*names, {"properties": properties})


def test_every_entity_is_created_read_listed_updated_and_deleted(it):
    for row in ENTITIES:
        name, names, change = row["group"], row["names"], row.get("change")
        group = it.of(name)
        made = create(group, names, row["properties"])
        assert made.name == names[-1], row
        read = group.get(*names)
        assert read.id.startswith(ID) and read.type.startswith("Microsoft.ApiManagement/service/"), row
        assert names[-1] in listed(group, names), row
        if hasattr(group.group, "get_entity_tag"):
            assert group.get_entity_tag(*names), row
        if change:
            group.update(*names, parameters={"properties": change})
            field, value = next(iter(change.items()))
            shown = it.raw("GET", read.id).json()["properties"]
            assert shown[field] == value, row
    for row in reversed(ENTITIES):
        group, names = it.of(row["group"]), row["names"]
        group.delete(*names)
        with pytest.raises(ResourceNotFoundError):
            group.get(*names)
        group.delete(*names)
    files = [str(file.relative_to(it.files.path)) for file in it.files.path.rglob("*.*") if file.is_file()]
    left = sorted(file for file in files if not file.startswith(".portcullis/"))
    assert left == [
        "apis/echo/apiInformation.json",
        "apis/echo/operations/get/operationInformation.json",
        "portcullis.yaml",
    ]


def test_a_policy_comes_back_to_the_byte_and_the_gateway_obeys_the_next_request(it):
    policies = it.of("api_policy")
    with pytest.raises(ResourceNotFoundError):
        policies.get("echo", "policy", format="xml")
    assert it.call("echo/x") == (200, "GET /x")
    for n in range(5):
        text = answers(f"answer {n}")
        policies.create_or_update("echo", "policy", {"properties": {"format": "rawxml", "value": text}})
        assert it.call("echo/x") == (200, f"answer {n}")
        assert policies.get("echo", "policy", format="rawxml").value == text
        assert (it.files.path / "apis/echo/policy.xml").read_bytes() == text.encode()
    escaped = policies.get("echo", "policy", format="xml").value
    assert "1 &lt; 2 &amp;&amp; true" in escaped
    policies.create_or_update("echo", "policy", {"properties": {"format": "xml", "value": escaped}})
    assert policies.get("echo", "policy", format="rawxml").value == text
    assert it.call("echo/x") == (200, "answer 4")
    for group, names in [("policy", []), ("api_operation_policy", ["echo", "get"])]:
        text = policy("").replace("<backend><base />", "<backend>\r\n<forward-request />") if not names else policy("")
        it.of(group).create_or_update(*names, "policy", {"properties": {"format": "rawxml", "value": text}})
        assert it.of(group).get(*names, "policy", format="rawxml").value == text
    it.of("api_policy").delete("echo", "policy")
    assert it.call("echo/x") == (200, "GET /x")


def test_a_policy_that_does_not_load_is_refused_with_its_place(it):
    good = answers("good")
    it.of("api_policy").create_or_update("echo", "policy", {"properties": {"format": "rawxml", "value": good}})
    bad = "<policies>\n  <inbound>\n    <no-such-policy />\n  </inbound>\n</policies>"
    with pytest.raises(HttpResponseError) as refused:
        it.of("api_policy").create_or_update("echo", "policy", {"properties": {"format": "rawxml", "value": bad}})
    assert refused.value.status_code == 400 and refused.value.error.code == "ValidationError"
    assert "line 3, column" in refused.value.error.details[0].message
    assert it.call("echo/x") == (200, "good")
    assert (it.files.path / "apis/echo/policy.xml").read_bytes() == good.encode()


def test_a_key_admits_from_the_call_that_made_it_and_no_longer_than_it_is(it):
    it.of("api").update("echo", parameters={"properties": {"subscriptionRequired": True}})
    assert it.call("echo/x")[0] == 401
    made = it.of("subscription").create_or_update("s", {"properties": {"displayName": "S", "scope": f"{ID}/apis/echo"}})
    assert made.primary_key is None and made.scope == f"{ID}/apis/echo"
    keys = it.of("subscription").list_secrets("s")
    for key in (keys.primary_key, keys.secondary_key):
        assert it.call("echo/x", **{"Ocp-Apim-Subscription-Key": key}) == (200, "GET /x")
    it.of("subscription").regenerate_primary_key("s")
    assert it.call("echo/x", **{"Ocp-Apim-Subscription-Key": keys.primary_key})[0] == 401
    assert it.call("echo/x", **{"Ocp-Apim-Subscription-Key": keys.secondary_key})[0] == 200
    it.of("subscription").update("s", if_match="*", parameters={"properties": {"state": "suspended"}})
    assert it.call("echo/x", **{"Ocp-Apim-Subscription-Key": keys.secondary_key})[0] == 401
    for file in it.process.text(), it.process.output():
        assert keys.primary_key not in file and keys.secondary_key not in file


def test_an_api_is_imported_and_answers(it, backend):
    document = """{"openapi":"3.0.1","info":{"title":"Imported","version":"1"},"paths":{
      "/things/{id}":{"get":{"operationId":"getThing","summary":"Get a thing","parameters":[
        {"name":"id","in":"path","required":true,"schema":{"type":"string"}}],
        "responses":{"200":{"description":"ok"}}}}}}"""
    made = it.of("api").create_or_update("imp", {"properties": {
        "path": "imp", "format": "openapi+json", "value": document, "serviceUrl": backend.url,
        "subscriptionRequired": False, "protocols": ["http"]}})
    assert made.display_name == "Imported"
    operations = list(it.of("api_operation").list_by_api("imp"))
    assert [(entry.name, entry.display_name, entry.url_template) for entry in operations] == [
        ("getthing", "Get a thing", "/things/{id}")]
    assert [entry.name for entry in operations[0].template_parameters] == ["id"]
    assert it.call("imp/things/5") == (200, "GET /things/5")
    assert it.call("imp/other")[0] == 404
    it.of("api").delete("imp")
    assert it.call("imp/things/5")[0] == 404


def test_a_graphql_api_is_made_step_by_step(it, backend):
    def ask():
        url, body = f"{it.at.gateway}/graph", {"query": "{ hello }"}
        answer = requests.post(url, json=body, timeout=30)
        return answer.status_code, answer.json()

    graph = {"displayName": "Graph", "path": "graph", "protocols": ["http"], "type": "graphql", "subscriptionRequired": False}
    create(it.of("api"), ["graph"], graph)
    assert ask()[0] == 404
    schema = {"contentType": "application/vnd.ms-azure-apim.graphql.schema", "document": {"value": "type Query { hello: String }"}}
    create(it.of("api_schema"), ["graph", "graphql"], schema)
    create(it.of("graph_ql_api_resolver"), ["graph", "r"], {"displayName": "R", "path": "Query/hello"})
    assert ask() == (200, {"data": {"hello": None}})
    source = (
        "<http-data-source><http-request><set-method>GET</set-method>"
        f"<set-url>{backend.url}/hello</set-url></http-request>"
        '<http-response><set-body>{"hello":"there"}</set-body></http-response></http-data-source>'
    )
    names = ["graph", "r", "policy"]
    create(it.of("graph_ql_api_resolver_policy"), names, {"format": "rawxml", "value": source})
    assert ask()[0] == 200 and "hello" in ask()[1]["data"]


def test_fragments_named_values_and_products_take_part(it):
    fragment = '<fragment><set-header name="x-v" exists-action="override"><value>@("{{v}}" + "!")</value></set-header></fragment>'
    value = it.of("named_value")
    create(value, ["v"], {"displayName": "v", "value": "one", "secret": True})
    assert value.get("v").value is None and value.list_value("v").value == "one"
    made = it.of("policy_fragment").create_or_update("f", {"properties": {"format": "rawxml", "value": fragment}})
    assert made.name == "f"
    assert it.of("policy_fragment").get("f", format="rawxml").value == fragment
    text = policy('<include-fragment fragment-id="f" /><return-response><set-body>@(context.Request.Headers.GetValueOrDefault("x-v",""))</set-body></return-response>')
    it.of("api_policy").create_or_update("echo", "policy", {"properties": {"format": "rawxml", "value": text}})
    assert it.call("echo/x") == (200, "one!")
    value.update("v", parameters={"properties": {"value": "two"}})
    assert it.call("echo/x") == (200, "two!")
    with pytest.raises(HttpResponseError) as used:
        value.delete("v")
    assert used.value.status_code == 400
    create(it.of("product"), ["gold"], {"displayName": "Gold", "state": "published"})
    with pytest.raises(ResourceNotFoundError):
        it.of("product_api").check_entity_exists("gold", "echo")
    it.of("product_api").create_or_update("gold", "echo")
    assert it.of("product_api").check_entity_exists("gold", "echo") is True
    assert [entry.name for entry in it.of("product_api").list_by_product("gold")] == ["echo"]
    it.of("product_group").create_or_update("gold", "developers")
    assert [entry.name for entry in it.of("product_group").list_by_product("gold")] == ["developers"]
    it.of("product_api").delete("gold", "echo")
    with pytest.raises(ResourceNotFoundError):
        it.of("product_api").check_entity_exists("gold", "echo")


def test_a_revision_is_tried_and_released(it):
    it.of("api").create_or_update("echo;rev=2", {"properties": {"path": "echo", "sourceApiId": f"{ID}/apis/echo"}})
    text = answers("second")
    it.of("api_policy").create_or_update("echo;rev=2", "policy", {"properties": {"format": "rawxml", "value": text}})
    assert it.call("echo/x") == (200, "GET /x")
    assert it.call("echo;rev=2/x") == (200, "second")
    it.of("api_release").create_or_update("echo", "r", {"properties": {"apiId": f"{ID}/apis/echo;rev=2"}})
    assert it.call("echo/x") == (200, "second")
    assert it.call("echo;rev=1/x") == (200, "GET /x")
    shown = [(entry.api_revision, entry.is_current) for entry in it.of("api_revision").list_by_service("echo")]
    assert sorted(shown) == [("1", False), ("2", True)]


def test_lists_come_in_pages_and_are_filtered(it):
    for n in range(7):
        create(it.of("tag"), [f"t{n}"], {"displayName": f"Tag {n}"})
    assert len(list(it.of("tag").list_by_service(top=2))) == 7
    found = it.of("tag").list_by_service(filter="displayName eq 'Tag 3' or startswith(name, 't5')")
    assert [entry.name for entry in found] == ["t3", "t5"]


def test_a_stale_etag_loses(it):
    group = it.of("tag")
    create(group, ["t"], {"displayName": "one"})
    seen = it.raw("GET", f"{ID}/tags/t").headers["ETag"]
    group.update("t", if_match=seen, parameters={"properties": {"displayName": "two"}})
    with pytest.raises((ResourceModifiedError, HttpResponseError)) as refused:
        group.update("t", if_match=seen, parameters={"properties": {"displayName": "three"}})
    assert refused.value.status_code == 412
    # What is edited by hand counts as well.
    seen = it.raw("GET", f"{ID}/tags/t").headers["ETag"]
    it.files.write("tags/t/tagInformation.json", {"properties": {"displayName": "by hand"}})
    with pytest.raises(HttpResponseError) as refused:
        group.update("t", if_match=seen, parameters={"properties": {"displayName": "four"}})
    assert refused.value.status_code == 412
    assert group.get("t").display_name == "by hand"


def test_nobody_gets_in_without_a_token(it):
    wrong = it.connect(Static("x" * 40))
    with pytest.raises(ClientAuthenticationError):
        wrong.api.get(GROUP, SERVICE, "echo")
    for token in (None, "x"):
        for path in ("/", "/subscriptions", "/tenants", ID, f"{ID}/apis"):
            answer = it.raw("GET", path, token=token)
            assert answer.status_code == 401 and "authorization_uri=" in answer.headers["WWW-Authenticate"]
    assert it.raw("GET", "/metadata/endpoints", token=None).json()["resourceManager"] == it.at.management
    assert it.raw("GET", f"{ID}/apis", version=None).json()["error"]["code"] == "MissingApiVersionParameter"


def test_a_token_of_the_issuer_needs_the_role(backend, mint):
    issuer = {
        "metadata": "https://login.microsoftonline.com/11111111-1111-1111-1111-111111111111/v2.0/.well-known/openid-configuration",
        "audiences": ["https://management.azure.com"],
        "role": "Portcullis.Manage",
    }
    with managed(management={"issuer": issuer}) as it:
        token = lambda role, audience="https://management.azure.com": mint("--aud", audience, "--roles", role)
        manager = it.connect(Static(token("Portcullis.Manage")))
        assert list(manager.tag.list_by_service(GROUP, SERVICE)) == []
        for wrong, status in [
            (token("Llm.Use"), 403),
            (token("Portcullis.Manage", "api://other"), 401),
            (token("Portcullis.Manage")[:-4] + "AAAA", 401),
        ]:
            answer = it.raw("GET", f"{ID}/tags", token=wrong)
            assert answer.status_code == status, answer.text


def test_a_certificate_tells_of_itself(it):
    rows = [row for row in ENTITIES if row["group"] == "certificate"]
    made = create(it.of("certificate"), ["c"], rows[0]["properties"])
    assert made.subject == "CN=client.contoso.test" and made.expiration_date.year == 2126
    assert made.thumbprint == it.of("certificate").get("c").thumbprint and len(made.thumbprint) == 40
    with pytest.raises(HttpResponseError) as refused:
        create(it.of("certificate"), ["d"], {**rows[0]["properties"], "password": "wrong"})
    assert refused.value.status_code == 400 and "password" in str(refused.value)


def test_every_write_is_audited_without_its_secrets(it):
    create(it.of("named_value"), ["n"], {"displayName": "n", "value": "not-in-the-log", "secret": True})
    it.raw("PUT", f"{ID}/tags/t", token="wrong-token-wrong-token-wrong", json={"properties": {}})
    told = it.process.text()
    assert "not-in-the-log" not in told and TOKEN not in told and "wrong-token" not in told
    assert "token tests" in told and f"{ID}/namedValues/n" in told and "nobody" in told


def test_a_read_only_service_refuses_changes(backend):
    with managed(management={"read-only": True}) as it:
        with pytest.raises(HttpResponseError) as refused:
            create(it.of("tag"), ["t"], {"displayName": "T"})
        assert refused.value.status_code == 403
        assert list(it.of("tag").list_by_service()) == []


def test_a_service_principal_signs_in_at_the_stand_in(it, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", it.at.ca_bundle_file)
    credential = ClientSecretCredential(
        it.at.tenant_id, it.at.client_id, it.at.client_secret,
        authority=it.at.entra, disable_instance_discovery=True,
    )
    client = it.connect(credential)
    assert client.api.get(GROUP, SERVICE, "echo").display_name == "Echo"
    service = client.api_management_service.get(GROUP, SERVICE)
    assert service.gateway_url == it.at.gateway and service.sku.name == "Developer"
    assert [entry.name for entry in client.api_management_service.list()] == [SERVICE]
