"""Unmodified azure-identity, msal and Key Vault clients against the stand-ins and the gateway."""

import msal
import openai
import pytest
from azure.identity import (
    ClientSecretCredential,
    ManagedIdentityCredential,
    get_bearer_token_provider,
)
from azure.keyvault.secrets import SecretClient

from conftest import RESOURCE

MESSAGES = [{"role": "user", "content": "hi"}]


@pytest.fixture(autouse=True)
def trust(dev, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", dev.ca_file)
    monkeypatch.setenv("SSL_CERT_FILE", dev.ca_file)


def credential(dev, secret=None):
    return ClientSecretCredential(
        tenant_id=dev.tenant_id,
        client_id=dev.client_id,
        client_secret=secret or dev.client_secret,
        authority=dev.entra,
        disable_instance_discovery=True,
    )


@pytest.mark.parametrize("api", ["openai-jwt", "openai-entra"])
def test_a_client_secret_opens_the_apis_that_want_a_token(dev, api):
    provider = get_bearer_token_provider(credential(dev), f"{RESOURCE}/.default")
    client = openai.AzureOpenAI(
        azure_endpoint=f"{dev.gateway}/{api}",
        azure_ad_token_provider=provider,
        api_version="2024-10-21",
        max_retries=0,
    )
    answer = client.chat.completions.create(model="gpt-4o", messages=MESSAGES)
    assert answer.choices[0].message.content == "You said: hi"


def test_a_wrong_secret_is_refused_as_entra_refuses_it(dev):
    with pytest.raises(Exception, match="AADSTS7000215"):
        credential(dev, secret="wrong").get_token(f"{RESOURCE}/.default")


def test_msal_gets_a_token(dev):
    app = msal.ConfidentialClientApplication(
        dev.client_id,
        client_credential=dev.client_secret,
        authority=f"{dev.entra}/{dev.tenant_id}",
        instance_discovery=False,
    )
    answer = app.acquire_token_for_client([f"{RESOURCE}/.default"])
    assert "access_token" in answer, answer
    wrong = app.acquire_token_for_client(["api://x"])
    assert wrong["error"] == "invalid_scope"


@pytest.mark.parametrize("source", ["imds", "app-service"])
def test_managed_identity_needs_only_variables(dev, source, monkeypatch):
    if source == "imds":
        monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", dev.imds)
    else:
        monkeypatch.setenv("IDENTITY_ENDPOINT", dev.app_service_identity)
        monkeypatch.setenv("IDENTITY_HEADER", dev.identity_header)
    token = ManagedIdentityCredential().get_token(f"{RESOURCE}/.default")
    client = openai.AzureOpenAI(
        azure_endpoint=dev.azure_openai,
        azure_ad_token=token.token,
        api_version="2024-10-21",
        max_retries=0,
    )
    assert client.chat.completions.create(model="gpt-4o", messages=MESSAGES).choices


def test_a_secret_is_read_written_and_deleted(dev):
    vault = SecretClient(dev.key_vault, credential(dev), verify_challenge_resource=False)
    assert vault.get_secret("openai-api-key").value == dev.azure_openai_key
    written = vault.set_secret("fresh", "value")
    assert vault.get_secret("fresh", written.properties.version).value == "value"
    assert "fresh" in [it.name for it in vault.list_properties_of_secrets()]
    vault.begin_delete_secret("fresh")
    with pytest.raises(Exception, match="SecretNotFound"):
        vault.get_secret("fresh")
