"""The Azure CLI, unmodified, against a running `dev`: `./test azure-cli` installs it and runs this.

The download is large, so the other parts of `./test` leave it out; what it said last stands in
`azure-cli.result`.
"""

import json
import os
import subprocess

import pytest

from servers import Backend, text
from test_management import ID, TOKEN, answers, managed

AZURE_CLI = os.environ.get("AZURE_CLI")
pytestmark = pytest.mark.skipif(not AZURE_CLI, reason="AZURE_CLI names no `az`: see ./test azure-cli")
OF = ["-g", "portcullis", "--service-name", "portcullis"]
SPEC = {
    "openapi": "3.0.1",
    "info": {"title": "Things", "version": "1"},
    "paths": {"/things/{id}": {"get": {
        "operationId": "getThing",
        "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
        "responses": {"200": {"description": "ok"}},
    }}},
}


class Cli:
    """`az` with a configuration of its own that knows the cloud of a `dev`."""

    def __init__(self, it, home):
        self.it, self.home = it, home
        self.env = {
            **os.environ,
            "AZURE_CONFIG_DIR": str(home),
            "REQUESTS_CA_BUNDLE": it.at.ca_bundle_file,
            "AZURE_CORE_INSTANCE_DISCOVERY": "false",
            "AZURE_CORE_COLLECT_TELEMETRY": "false",
            "AZURE_CORE_ONLY_SHOW_ERRORS": "true",
            "AZURE_POD_IDENTITY_AUTHORITY_HOST": it.at.imds,
        }
        self("cloud", "register", "-n", "local",
             "--endpoint-resource-manager", it.at.management,
             "--endpoint-management", it.at.management,
             "--endpoint-active-directory", it.at.entra,
             "--endpoint-active-directory-resource-id", "https://management.azure.com/",
             "--endpoint-active-directory-graph-resource-id", it.at.entra)
        self("cloud", "set", "-n", "local")

    def run(self, *arguments):
        return subprocess.run([AZURE_CLI, *arguments, "-o", "json"], env=self.env,
                              capture_output=True, text=True, timeout=120)

    def __call__(self, *arguments):
        """What a command answered, read; it has to succeed."""
        done = self.run(*arguments)
        assert done.returncode == 0, (arguments, done.stdout, done.stderr)
        return json.loads(done.stdout) if done.stdout.strip() else None

    def apim(self, command, **options):
        """`apim("api create", api_id="a")` is `az apim api create ... --api-id a`."""
        flags = [part for name, value in options.items() for part in (f"--{name.replace('_', '-')}", value)]
        return self("apim", *command.split(), *OF, *flags)


@pytest.fixture(scope="module")
def it():
    api = {"properties": {"displayName": "Echo", "path": "echo", "protocols": ["http", "https"],
                          "subscriptionRequired": False}}
    get = {"properties": {"displayName": "Get", "method": "GET", "urlTemplate": "/*"}}
    with Backend(lambda handler: text(handler, f"{handler.command} {handler.path}")) as backend:
        api["properties"]["serviceUrl"] = backend.url
        files = {
            "apis/echo/apiInformation.json": api,
            "apis/echo/operations/get/operationInformation.json": get,
        }
        with managed(files) as it:
            it.backend = backend
            yield it


@pytest.fixture(scope="module")
def az(it, tmp_path_factory):
    cli = Cli(it, tmp_path_factory.mktemp("azure"))
    principal = ["-u", it.at.client_id, "-p", it.at.client_secret, "--tenant", it.at.tenant_id]
    (account,) = cli("login", "--service-principal", *principal)
    assert account["tenantId"] == it.at.tenant_id and account["state"] == "Enabled"
    return cli


def names(found):
    return [entry["name"] for entry in found]


def test_the_service_is_found(az, it):
    assert az("apim", "show", "-g", "portcullis", "-n", "portcullis")["gatewayUrl"] == it.at.gateway
    assert names(az("apim", "list")) == ["portcullis"]


def test_apis_operations_revisions_and_releases(az):
    api = {"api_id": "orders"}
    az.apim("api create", **api, path="orders", display_name="Orders", protocols="https")
    assert az.apim("api show", **api)["path"] == "orders"
    assert az.apim("api update", **api, description="new")["description"] == "new"
    assert "orders" in names(az.apim("api list"))
    az.apim("api operation create", **api, operation_id="l", url_template="/", method="GET", display_name="L")
    assert names(az.apim("api operation list", **api)) == ["l"]
    az.apim("api operation update", **api, operation_id="l", description="new")
    assert az.apim("api operation show", **api, operation_id="l")["description"] == "new"
    az.apim("api revision create", **api, api_revision="2", api_revision_description="second")
    assert sorted(it["apiRevision"] for it in az.apim("api revision list", **api)) == ["1", "2"]
    az.apim("api release create", **api, api_revision="2", release_id="r", notes="n")
    assert names(az.apim("api release list", **api)) == ["r"]
    assert az.apim("api release show", **api, release_id="r")["notes"] == "n"
    az("apim", "api", "release", "delete", *OF, "--api-id", "orders", "--release-id", "r", "--if-match", "*")
    az("apim", "api", "delete", *OF, "--api-id", "orders", "--delete-revisions", "true", "-y")
    assert "orders" not in names(az.apim("api list"))


def test_an_import_answers_and_is_exported(az, it, tmp_path):
    spec = tmp_path / "things.json"
    spec.write_text(json.dumps(SPEC))
    az.apim("api import", path="things", api_id="things", specification_format="OpenApi",
            specification_path=str(spec), service_url=it.backend.url, subscription_required="false",
            protocols="http")
    assert it.call("things/things/5") == (200, "GET /things/5")
    az.apim("api export", api_id="things", export_format="OpenApiJsonFile", file_path=str(tmp_path))
    (exported,) = [file for file in tmp_path.glob("*.json") if file != spec]
    assert json.loads(exported.read_text())["paths"] == SPEC["paths"]
    link = az.apim("api export", api_id="echo", export_format="OpenApiYamlUrl")
    assert "/exports/" in json.dumps(link)


def test_named_values(az):
    value = {"named_value_id": "nv"}
    made = az.apim("nv create", **value, display_name="nv", value="v", secret="true")
    assert made["secret"] is True and made["value"] is None
    assert az.apim("nv show-secret", **value)["value"] == "v"
    az.apim("nv update", **value, value="w")
    assert az.apim("nv show-secret", **value)["value"] == "w"
    assert names(az.apim("nv list")) == ["nv"]
    az("apim", "nv", "delete", *OF, "--named-value-id", "nv", "-y")
    assert az.apim("nv list") == []


def test_products_and_version_sets(az):
    product = {"product_id": "gold"}
    az.apim("product create", **product, product_name="Gold", subscription_required="true", state="published")
    az.apim("product api add", **product, api_id="echo")
    az.apim("product api check", **product, api_id="echo")
    assert names(az.apim("product api list", **product)) == ["echo"]
    az.apim("product update", **product, description="new")
    assert az.apim("product show", **product)["description"] == "new"
    az.apim("product api delete", **product, api_id="echo")
    az("apim", "product", "delete", *OF, "--product-id", "gold", "--delete-subscriptions", "true", "-y")
    assert az.apim("product list") == []
    az.apim("api versionset create", version_set_id="vs", display_name="VS", versioning_scheme="Segment")
    assert names(az.apim("api versionset list")) == ["vs"]
    az("apim", "api", "versionset", "delete", *OF, "--version-set-id", "vs", "--if-match", "*")


def test_a_policy_is_written_and_obeyed(az, it):
    url = f"{it.at.management}{ID}/apis/echo/policies/policy?api-version=2022-08-01"
    document = answers("from the command line")
    body = json.dumps({"properties": {"format": "rawxml", "value": document}})
    az("rest", "--method", "put", "--url", url, "--body", body)
    assert it.call("echo/x") == (200, "from the command line")
    assert az("rest", "--url", f"{url}&format=rawxml")["properties"]["value"] == document
    header = f"Authorization=Bearer {TOKEN}"
    shown = az("rest", "--skip-authorization-header", "--headers", header, "--url", f"{url}&format=rawxml")
    assert shown["properties"]["value"] == document
    bad = json.dumps({"properties": {"format": "rawxml", "value": "<policies><inbound><no-such /></inbound></policies>"}})
    refused = az.run("rest", "--method", "put", "--url", url, "--body", bad)
    assert refused.returncode != 0 and "ValidationError" in refused.stderr
    assert it.call("echo/x") == (200, "from the command line")
    az("rest", "--method", "delete", "--url", url)
    assert it.call("echo/x") == (200, "GET /x")


def test_a_managed_identity_signs_in(az):
    az("logout")
    (account,) = az("login", "--identity")
    assert account["user"]["name"] == "systemAssignedIdentity"
    assert "echo" in names(az.apim("api list"))
