"""The guide's table of tokens, and forged ones, over the wire."""

import subprocess

import pytest

from conftest import PROGRAM, RESOURCE
from http_calls import chat

FORBIDDEN = '{ "statusCode": 403, "message": "Forbidden" }'
OTHER = "99999999-9999-9999-9999-999999999999"

# How a token is minted, and whether each API lets it pass.
TABLE = [
    ("v1", [], True, True),
    ("audience with a slash", ["--audience", RESOURCE + "/"], False, False),
    ("other audience", ["--audience", "https://graph.microsoft.com"], False, False),
    ("no audience", ["--forge", "no-aud"], False, False),
    ("other client", ["--client", OTHER], True, False),
    ("v2.0", ["--version", "2.0"], True, True),
    ("other tenant", ["--tenant", OTHER], False, False),
    ("expired", ["--lifetime=-1s"], False, False),
    ("no expiry", ["--forge", "no-exp"], False, False),
    ("unknown key", ["--forge", "unknown-kid"], False, False),
    ("changed payload", ["--forge", "changed-payload"], False, False),
    ("alg none", ["--forge", "alg-none"], False, False),
    ("HS256 with the public key", ["--forge", "hs256-public-key"], False, False),
]


@pytest.mark.parametrize("what,arguments,jwt,entra", TABLE, ids=[row[0] for row in TABLE])
def test_the_table_of_tokens(dev, mint, what, arguments, jwt, entra):
    token = mint(*arguments)
    for api, passes in (("openai-jwt", jwt), ("openai-entra", entra)):
        answer = chat(dev, api, authorization=f"Bearer {token}")
        if passes:
            assert answer.status_code == 200, (api, answer.text)
        else:
            assert (answer.status_code, answer.text) == (403, FORBIDDEN), api


@pytest.mark.parametrize("api", ["openai-jwt", "openai-entra"])
def test_no_token_is_forbidden(dev, api):
    answer = chat(dev, api)
    assert (answer.status_code, answer.text) == (403, FORBIDDEN)
    assert answer.headers["content-type"] == "application/json"


def forgeries():
    listing = subprocess.run(
        [PROGRAM, "token", "mint", "--forge", "list"], capture_output=True, text=True, check=True
    )
    return [line.split()[0] for line in listing.stdout.splitlines()]


@pytest.mark.parametrize("name", forgeries())
def test_no_forged_token_passes(dev, mint, name):
    token = mint("--forge", name)
    for api in ("openai-jwt", "openai-entra"):
        answer = chat(dev, api, authorization=f"Bearer {token}")
        # A token too long for any header is refused by the listener.
        assert answer.status_code == (431 if name == "oversized" else 403), (api, name)


@pytest.mark.parametrize("spelling", ["bearer", "BEARER", "Bearer"])
def test_the_scheme_has_no_case(dev, mint, spelling):
    answer = chat(dev, "openai-jwt", authorization=f"{spelling} {mint()}")
    assert answer.status_code == 200


def test_the_gateways_own_credentials_never_come_back(dev):
    answer = chat(dev, "openai-key", api_key=dev.subscription_key)
    assert answer.status_code == 200
    assert dev.azure_openai_key not in str(answer.headers) + answer.text
