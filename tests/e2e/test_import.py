"""`portcullis import`: what comes from elsewhere is written, checked, and served."""

import json
import subprocess

import pytest
import requests

from conftest import PROGRAM, Process
from servers import LOCAL, Backend, text

POLICY = (
    "<policies><inbound><base /><set-header name=\"x-key\" exists-action=\"override\"><value>{{key}}</value></set-header>"
    "</inbound><backend><base /></backend><outbound><base /></outbound><on-error><base /></on-error></policies>"
)


@pytest.fixture
def backend():
    with Backend(lambda handler: text(handler, f"{handler.path} {handler.headers.get('x-key')}")) as it:
        yield it


def template(properties):
    resource = lambda kind, name, **rest: {
        "type": f"Microsoft.ApiManagement/service/{kind}",
        "apiVersion": "2024-05-01",
        "name": f"[concat(parameters('service'), '/{name}')]",
        **rest,
    }
    return {
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "parameters": {
            "service": {"type": "string", "defaultValue": "contoso"},
            "backendUrl": {"type": "string"},
            "key": {"type": "securestring"},
            "paths": {"type": "array", "defaultValue": ["one", "two"]},
        },
        "resources": [
            {"type": "Microsoft.ApiManagement/service", "name": "[parameters('service')]", "properties": {}},
            {"type": "Microsoft.Insights/components", "name": "ai", "properties": {}},
            resource("namedValues", "key", properties={"displayName": "key", "secret": True, "value": "[parameters('key')]"}),
            {
                **resource("apis", "x", properties=properties),
                "name": "[concat(parameters('service'), '/', parameters('paths')[copyIndex()])]",
                "copy": {"name": "apis", "count": "[length(parameters('paths'))]"},
            },
            resource("apis/operations", "one/get", properties={"displayName": "Get", "method": "GET", "urlTemplate": "/*"}),
            resource("apis/policies", "one/policy", properties={"format": "rawxml", "value": POLICY}),
        ],
    }


PROPERTIES = {
    "displayName": "[parameters('paths')[copyIndex('apis')]]",
    "path": "[parameters('paths')[copyIndex('apis')]]",
    "serviceUrl": "[parameters('backendUrl')]",
    "protocols": ["http"],
    "subscriptionRequired": False,
}


def run(*arguments, **options):
    return subprocess.run([PROGRAM, "import", *map(str, arguments)], capture_output=True, text=True, timeout=60, **options)


def call(folder, path, **env):
    with Process("run", str(folder), *LOCAL, env=env) as process:
        answer = requests.get(f"{process.at.gateway}/{path}", timeout=30)
        return answer.status_code, answer.text


def test_a_template_is_imported_and_served(backend, tmp_path):
    file, parameters, out = tmp_path / "main.json", tmp_path / "parameters.json", tmp_path / "out"
    file.write_text(json.dumps(template(PROPERTIES)))
    parameters.write_text(json.dumps({"parameters": {"backendUrl": {"value": backend.url}}}))
    given = ("arm", file, "--parameters", parameters, "-o", out)
    missing = run(*given)
    assert missing.returncode == 1 and "-p key=…" in missing.stderr, missing.stderr
    assert not out.exists()
    done = run(*given, "-p", "key=not-to-be-written")
    assert "PORTCULLIS_NAMED_VALUE_KEY" in done.stdout, done.stdout + done.stderr
    assert "Microsoft.Insights/components (1)" in done.stdout
    assert all("not-to-be-written" not in it.read_text() for it in out.rglob("*") if it.is_file())
    assert call(out, "one/x", PORTCULLIS_NAMED_VALUE_KEY="k-1") == (200, "/x k-1")
    again = run(*given, "-p", "key=k")
    assert again.returncode == 3 and "not empty" in again.stderr


def test_a_specification_is_imported_and_served(backend, tmp_path):
    spec = {
        "openapi": "3.1.0",
        "info": {"title": "My Things", "version": "1"},
        "servers": [{"url": backend.url}],
        "paths": {"/things/{id}": {"get": {"operationId": "get", "responses": {"200": {"description": "ok"}}}}},
    }
    file, out = tmp_path / "things.json", tmp_path / "out"
    file.write_text(json.dumps(spec))
    done = run("openapi", file, "--no-subscription", "--http", "-o", out)
    assert done.returncode == 0, done.stdout + done.stderr
    assert call(out, "my-things/things/5") == (200, "/things/5 None")
    wsdl = tmp_path / "service.wsdl"
    wsdl.write_text("<definitions xmlns='http://schemas.xmlsoap.org/wsdl/' />")
    refused = run("openapi", wsdl, "-o", tmp_path / "none")
    assert refused.returncode == 1 and "WSDL" in refused.stderr, refused.stderr
    assert not (tmp_path / "none").exists()


def test_an_extracted_folder_is_imported_and_served(backend, tmp_path):
    api = {"properties": {"path": "old", "displayName": "Old", "serviceUrl": backend.url,
                          "protocols": ["http"], "subscriptionRequired": False}}
    files = {
        "README.md": "not an artifact",
        "apis/old/apiInformation.json": json.dumps(api),
        "apis/old/operations/get/operationInformation.json": json.dumps(
            {"properties": {"displayName": "Get", "method": "GET", "urlTemplate": "/*"}}),
        "apis/old/policy.xml": POLICY,
        "namedValues/key/namedValueInformation.json": json.dumps(
            {"properties": {"displayName": "key", "value": "plain"}}),
    }
    source, out = tmp_path / "extracted", tmp_path / "out"
    for name, content in files.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(content)
    done = run("apiops", source, "-o", out)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not (out / "README.md").exists()
    assert (out / "named values/key/namedValueInformation.json").exists()
    assert call(out, "old/x") == (200, "/x plain")


@pytest.mark.parametrize("content, told", [
    ("{", "not valid JSON"),
    ("{}", "no template"),
    ('{"resources": []}', "declares nothing"),
])
def test_what_is_no_template_is_refused(content, told, tmp_path):
    file = tmp_path / "x.json"
    file.write_text(content)
    refused = run("arm", file, "-o", tmp_path / "out")
    assert refused.returncode in (1, 3) and told in refused.stderr, refused.stderr
    bicep = tmp_path / "x.bicep"
    bicep.write_text("param a string")
    refused = run("bicep", bicep, "-o", tmp_path / "out")
    assert refused.returncode == 3 and "bicep build" in refused.stderr
