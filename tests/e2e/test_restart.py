"""A gateway whose stand-ins are processes of their own: killed under it, and started again."""

import contextlib
import shutil
import signal

import pytest

from conftest import ROOT, Process
from http_calls import address, chat, control, eventually
from servers import LOCAL, Folder

KEY = "a-callers-key"
UNAVAILABLE = '{ "statusCode": 503, "message": "Managed identity is not available." }'


class StandIn:
    """Stand-ins of their own process, which keep their ports and certificates when they return."""

    def __init__(self, *services):
        self.services = services
        self.first = self.process = Process("simulate", *services, "--ports", "ephemeral")
        self.at = self.first.at

    def kill(self):
        self.process.stop(signal.SIGKILL)

    def start(self):
        again = ("--ports", str(self.first.ready_file))
        data = {"PORTCULLIS_DATA_DIR": str(self.first.folder)}
        self.process = Process("simulate", *self.services, *again, env=data)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in {self.first, self.process}:
            process.__exit__()


def hosts(entra, imds, openai):
    """Where Azure's names lead."""
    place = lambda url: "%s:%d" % address(url)
    return {
        "login.microsoftonline.com": {"address": place(entra.at.entra), "ca": entra.at.ca_file},
        "169.254.169.254": place(imds.at.imds),
        "*.vault.azure.net": {"address": place(imds.at.key_vault), "ca": imds.at.ca_file},
        "*.openai.azure.com": {"address": place(openai.at.azure_openai), "tls": False},
    }


@pytest.fixture
def world(tmp_path):
    """The example on `run`, with stand-ins that can be killed one by one."""
    folder = Folder(tmp_path / "gateway")
    shutil.copytree(ROOT / "examples/guide", folder.path)
    with contextlib.ExitStack() as stack:
        entra = stack.enter_context(StandIn("entra"))
        imds = stack.enter_context(StandIn("imds", "keyvault"))
        openai = stack.enter_context(StandIn("aoai"))
        folder.settings(hosts=hosts(entra, imds, openai), keys={"local": {"env": "LOCAL"}})
        run = Process("run", str(folder.path), *LOCAL, env={"LOCAL": KEY})
        stack.enter_context(run)
        run.entra, run.imds, run.openai, run.files = entra, imds, openai, folder
        yield run


def by_key(world, api):
    return chat(world.at, api, api_key=KEY)


def by_token(world, api, token):
    return chat(world.at, api, authorization=f"Bearer {token}").status_code


def test_cached_keys_outlive_the_identity_provider(world, mint):
    apis = ("openai-jwt", "openai-entra")
    assert [by_token(world, api, mint()) for api in apis] == [200, 200]
    world.entra.kill()
    # New tokens, so that no remembered verdict helps: only the keys are remembered.
    assert [by_token(world, api, mint()) for api in apis] == [200, 200]
    assert [by_token(world, api, mint("--forge", "wrong-key")) for api in apis] == [403, 403]
    world.entra.start()
    assert [by_token(world, api, mint()) for api in apis] == [200, 200]


def test_a_rotated_key_is_found_after_the_provider_is_back(world, mint):
    assert by_token(world, "openai-jwt", mint()) == 200
    world.entra.kill()
    world.entra.start()
    control(world.entra.at.entra, "POST", "rotate-keys")
    assert by_token(world, "openai-jwt", mint()) == 200


def test_managed_identity_down_is_told_and_mended(world):
    world.imds.kill()
    answer = by_key(world, "openai-identity")
    assert (answer.status_code, answer.text) == (503, UNAVAILABLE)
    assert answer.headers["content-type"] == "application/json"
    # What needs no identity goes on, with the secret that was read before.
    assert by_key(world, "openai-key").status_code == 200
    world.imds.start()
    assert eventually(lambda: by_key(world, "openai-identity").status_code == 200)
    assert eventually(lambda: "ManagedIdentityTokenError" in world.output())


def test_a_token_outlives_managed_identity(world):
    assert by_key(world, "openai-identity").status_code == 200
    world.imds.kill()
    assert by_key(world, "openai-identity").status_code == 200


def test_a_backend_down_is_told_and_mended(world):
    assert by_key(world, "openai-key").status_code == 200
    world.openai.kill()
    answer = by_key(world, "openai-key")
    assert answer.status_code == 500
    told = answer.json()
    assert (told["statusCode"], told["message"]) == (500, "Internal server error")
    assert eventually(lambda: told["activityId"] in world.output())
    assert "BackendConnectionFailure" in world.output()
    world.openai.start()
    assert eventually(lambda: by_key(world, "openai-key").status_code == 200)


def test_a_provider_that_is_down_at_the_start_is_found_later(tmp_path, mint):
    folder = Folder(tmp_path / "gateway")
    shutil.copytree(ROOT / "examples/guide", folder.path)
    with StandIn("entra") as entra, StandIn("imds", "keyvault", "aoai") as other:
        entra.kill()
        folder.settings(hosts=hosts(entra, other, other), keys={"local": {"env": "LOCAL"}})
        with Process("run", str(folder.path), *LOCAL, env={"LOCAL": KEY}) as run:
            # Fail closed: without keys no token is good.
            assert by_token(run, "openai-jwt", mint()) in (403, 503)
            assert by_key(run, "openai-key").status_code == 200
            entra.start()
            assert eventually(lambda: by_token(run, "openai-jwt", mint()) == 200, seconds=40)


def test_a_vault_that_is_down_at_the_start_is_a_load_error(tmp_path):
    folder = Folder(tmp_path / "gateway")
    shutil.copytree(ROOT / "examples/guide", folder.path)
    with StandIn("imds", "keyvault", "entra", "aoai") as all_of_them:
        everything = hosts(all_of_them, all_of_them, all_of_them)
        all_of_them.kill()
        folder.settings(hosts=everything, keys={"local": {"env": "LOCAL"}})
        with pytest.raises(AssertionError, match="openai-api-key"):
            Process("run", str(folder.path), *LOCAL, env={"LOCAL": KEY})
