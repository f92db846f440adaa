"""Azure's JavaScript SDKs and the `openai` client for Node, unmodified: `node/*.test.mjs`."""

import os
import pathlib
import shutil
import subprocess

import pytest

from conftest import Process
from servers import Backend, text
from test_management import TOKEN, managed

HERE = pathlib.Path(__file__).parent / "node"


@pytest.fixture(scope="module")
def node():
    """The program; without it, or without the clients, the tests are skipped, but not in CI."""
    program = shutil.which("node")
    if program and (HERE / "node_modules").is_dir():
        return program
    assert "CI" not in os.environ, "Node.js 20 and `npm ci` in tests/e2e/node are needed"
    pytest.skip("no Node.js 20, or no `npm ci` in tests/e2e/node: JavaScript clients are not tried")


def run(node, file, process, **variables):
    """Runs a file of tests against what is running; shows what they said if one fails."""
    ready = {"READY": str(process.ready_file), "NODE_EXTRA_CA_CERTS": process.at.ca_file}
    done = subprocess.run(
        [node, "--test", str(HERE / file)],
        env={**os.environ, **ready, **variables},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_identity_key_vault_and_models(node):
    with Process("dev", "--ports", "ephemeral") as process:
        run(node, "identity.test.mjs", process)


def test_management(node):
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
            run(node, "management.test.mjs", it.process, TOKEN=TOKEN)
