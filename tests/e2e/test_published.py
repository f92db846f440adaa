"""Published policy documents for model APIs, unmodified, against the stand-ins."""

import pathlib
import re

import pytest
import requests

from conftest import ROOT, Process
from servers import folder

CORPUS = ROOT.parent / "shared/corpus"
PATH = "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21"
ENDPOINT = "https://east.openai.azure.com"
SAFETY = "https://guard.cognitiveservices.azure.com"

USER_IDENTITY = "bbbbbbbb-0000-0000-0000-000000000002"
IDENTITY = {"managed-identity": "https://cognitiveservices.azure.com"}

SPEC = {
    "openapi": "3.0.1",
    "info": {"title": "Azure OpenAI", "version": "1"},
    "paths": {
        "/deployments/{deployment-id}/chat/completions": {
            "post": {
                "operationId": "ChatCompletions_Create",
                "parameters": [
                    {"name": "deployment-id", "in": "path", "required": True, "schema": {"type": "string"}},
                    {"name": "api-version", "in": "query", "schema": {"type": "string"}},
                ],
                "responses": {"200": {"description": "OK"}},
            }
        }
    },
}


def named_values(text, given):
    """Each name that the document refers to."""
    return {it: given.get(it, "value") for it in sorted(set(re.findall(r"\{\{([^{}]+)\}\}", text)))}


def backends(text, values, more):
    """Each backend that the document names, and those that it makes up."""
    ids = set(re.findall(r'backend-id="([^"@]+)"', text)) | set(more)
    ids = {re.sub(r"\{\{([^{}]+)\}\}", lambda it: values[it.group(1)], it) for it in ids}
    # A document that rewrites the whole path has its backends at the root.
    base = ENDPOINT if "OriginalUrl.Path;" in text else f"{ENDPOINT}/openai"
    url = lambda it: SAFETY if "safety" in it else base
    every = {it: {"url": url(it), "auth": IDENTITY} for it in sorted(ids)}
    return {**every, "main": {"url": f"{ENDPOINT}/openai", "auth": IDENTITY}}


def run(name, given, more, check):
    """Runs the document on an API of its own, and `check` against it."""
    text = (CORPUS / name).read_text(encoding="utf-8-sig")
    values = named_values(text, given)
    one = {"backend": "main", "path": "openai", "spec": "spec.json", "policy": "p.xml"}
    settings = {
        "apis": {"openai": {**one, "key": {"header": "api-key"}}},
        "named-values": values,
        "backends": backends(text, values, more),
        "keys": {"team": {"scope": "apis/openai", "primary": {"env": "TEAM_KEY"}}},
    }
    with folder({"p.xml": text, "spec.json": SPEC}, **settings) as it:
        arguments = ("dev", str(it.path), "--ports", "ephemeral")
        with Process(*arguments, env={"TEAM_KEY": "team-key"}) as process:
            return check(process.at)


SAMPLES = "Azure-Samples__Apim-Samples"
HUB = "Azure-Samples__ai-hub-gateway-solution-accelerator/infra/modules/apim/policies"
LIMITS = "MicrosoftDocs__azure-docs/articles/api-management/llm-token-limit-policy.md"
SAFE = "MicrosoftDocs__azure-docs/articles/api-management/llm-content-safety-policy.md.embedded-2.xml"
PLAYBOOK = "microsoft__AzureOpenAI-with-APIM/apim_policies"
CHARGEBACK = "andyogah__apim-openai-chargeback-environment"

# Each document, the named values that need more than a word, backends whose names it makes up.
DOCUMENTS = [
    (f"{SAMPLES}/samples/costing/apim-policies/aoai-gateway-operation.xml", {}, []),
    (f"{SAMPLES}/samples/costing/apim-policies/aoai-gateway-responses-operation.xml", {}, []),
    (f"{SAMPLES}/samples/costing/apim-policies/mock-ai-response.xml", {}, []),
    (f"{SAMPLES}/shared/apim-policies/backend.xml", {}, []),
    (f"{HUB}/ai-model-inference-api-policy.xml", {"uami-client-id": USER_IDENTITY}, []),
    (f"{HUB}/retail_product_policy.xml", {}, []),
    ("Azure-Samples__apim-ai-gateway-level-up/hol/walkthrough.md.embedded-1.xml", {}, []),
    (
        "Azure-Samples__azure-openai-apim-load-balancing/infra/policies/round-robin-policy.xml",
        {"MANAGED-IDENTITY-CLIENT-ID": USER_IDENTITY},
        [],
    ),
    ("Azure-Samples__openai-apim-lb/apim-policy.xml", {}, []),
    (
        "Azure-Samples__openai-apim-lb/infra/modules/apim/policies/api_policy.xml",
        {"uami-client-id": USER_IDENTITY},
        ["openai-backend-0", "openai-backend-1", "openai-backend-2"],
    ),
    ("Azure__aoai-apim/infra/policy.xml", {}, []),
    ("Azure__enterprise-azureai/infra/modules/apim/policies/api_policy_chargeback.xml", {}, []),
    ("LazaUK__AOAI-APIM-AIGateway/README.md.embedded-1.xml", {}, []),
    (SAFE, {}, []),
    (f"{LIMITS}.embedded-2.xml", {}, []),
    (f"{LIMITS}.embedded-3.xml", {}, []),
    (f"{CHARGEBACK}/apim-infras/apimOaiApi.bicep.embedded-1.xml", {}, []),
    (f"{CHARGEBACK}/policies/test.xml", {}, []),
    (
        "ayuina__apim-aoai-sample/infra/modules/apim-openai-policy.xml",
        {"AOAICount": "2", "AOAIAuthMode": "ManagedIdentity"},
        ["AOAI-0", "AOAI-1"],
    ),
    (f"{PLAYBOOK}/AOAI_Policy-Managed_Identity.xml", {}, []),
    (f"{PLAYBOOK}/AOAI_Policy-Managed_Identity_with_Retry_SingleRegion.xml", {}, []),
    (f"{PLAYBOOK}/AOAI_Policy-Priority_Routing.xml", {}, []),
    (f"{PLAYBOOK}/AOAI_Policy-SAS_Token.xml", {}, []),
    ("microsoft__aoai-batch-buddy/infra/policy.xml", {}, []),
    ("microsoft__aoai-logging-with-apim/APIM.md.embedded-1.xml", {}, []),
    ("microsoft__aoai-logging-with-apim/policies/operation-policy.xml", {}, []),
]


def chat(at, text="hello", **more):
    return requests.post(
        at.gateway + PATH,
        headers={"api-key": "team-key"},
        json={"messages": [{"role": "user", "content": text}], **more},
        timeout=30,
    )


@pytest.fixture(autouse=True)
def the_corpus():
    if not CORPUS.is_dir():
        pytest.skip(f"the policy corpus is not at {CORPUS}")


@pytest.mark.parametrize("name, values, more", DOCUMENTS, ids=lambda it: it if isinstance(it, str) else "")
def test_a_published_document_runs_as_it_is(name, values, more):
    answer = run(name, values, more, chat)
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert said["choices"][0]["message"]["content"], said
    assert said["usage"]["total_tokens"] > 0


def test_there_are_twenty_different_ones():
    texts = {(CORPUS / name).read_bytes() for name, *_ in DOCUMENTS}
    assert len(texts) >= 20


def test_a_published_token_limit_holds():
    def check(at):
        first = chat(at, "word " * 200, max_tokens=1)
        assert int(first.headers["remaining-tokens"]) < 10_000
        assert int(first.headers["consumed-tokens"]) >= 200
        return chat(at, "word " * 11_000)

    refused = run(f"{HUB}/retail_product_policy.xml", {}, [], check)
    assert refused.status_code == 429
    assert refused.json()["message"].startswith("Token limit is exceeded.")


def test_a_published_content_safety_policy_refuses():
    refused = run(SAFE, {}, [], lambda at: chat(at, "[violence:6]"))
    assert refused.status_code == 403
    assert refused.json()["message"] == "Request failed content safety check."


def test_a_published_model_restriction_refuses():
    refused = run(f"{HUB}/hr_product_policy.xml", {}, [], chat)
    assert refused.status_code == 401
