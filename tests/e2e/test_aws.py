"""Requests to Amazon Bedrock, checked as AWS checks them, by AWS' own library for Python."""

import hashlib
import pathlib

import pytest
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from servers import Backend, api, gateway, policies, read_all, text

ID, SECRET, REGION = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "eu-central-1"
SHARED = pathlib.Path(__file__).parents[3] / "shared"
KEYS = {"region": REGION, "access-key-id": ID, "secret-access-key": "{{aws-secret}}"}


def verify(handler):
    """What is wrong with the signature of a request; nothing, if it is right."""
    body = read_all(handler)
    scheme, _, rest = handler.headers.get("authorization", "").partition(" ")
    if scheme != "AWS4-HMAC-SHA256":
        return "no signature"
    parts = dict(it.strip().split("=", 1) for it in rest.split(","))
    if handler.headers["x-amz-content-sha256"] != hashlib.sha256(body).hexdigest():
        return "another body"
    names = parts["SignedHeaders"].split(";")
    headers = {name: handler.headers[name] for name in names}
    url = f"http://{handler.headers['host']}{handler.path}"
    request = AWSRequest(handler.command, url, headers=headers, data=body)
    request.context["timestamp"] = handler.headers["x-amz-date"]
    auth = SigV4Auth(Credentials(ID, SECRET, headers.get("x-amz-security-token")), "bedrock", REGION)
    signed = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
    if not {"host", "x-amz-date"} <= set(names):
        return "too little is signed"
    return "" if signed == parts["Signature"] else "another signature"


def answer(handler):
    problem = verify(handler)
    text(handler, problem or "signed", 403 if problem else 200)


def ask(process, path="model/anthropic.claude-v2%3A1/invoke?b=2&a=%20x", **more):
    return requests.post(f"{process.at.gateway}/{path}", timeout=20, **more)


@pytest.mark.parametrize("session", [None, "a/session+token=="])
def test_a_backend_with_keys_of_aws_gets_signed_requests(session):
    keys = {**KEYS, **({"session-token": session} if session else {})}
    with Backend(answer) as bedrock:
        backends = {"bedrock": {"url": bedrock.url, "auth": {"aws": keys}}}
        with gateway(
            {"aws.xml": policies('<set-backend-service backend-id="bedrock" />')},
            backends=backends,
            apis={"a": api(bedrock, policy="aws.xml")},
            env={"AWS_SECRET": SECRET},
            **{"named-values": {"aws-secret": {"env": "AWS_SECRET"}}},
        ) as it:
            for more in (
                {"json": {"prompt": "hello"}},
                {"data": iter([b"part ", b"by part"])},
                {"headers": {"Authorization": "Bearer mine", "X-Amz-Date": "20200101T000000Z"}},
            ):
                got = ask(it, **more)
                assert (got.status_code, got.text) == (200, "signed"), more
            assert ask(it, "model/plain:0/converse").text == "signed"


def test_a_published_document_signs_by_itself():
    path = (
        "Azure__terraform-ai-gateway-landing-zone/llm-backend-onboarding/policies/"
        "frag-set-backend-authorization.xml"
    )
    document = SHARED / "corpus" / path
    if not document.exists():
        pytest.skip("the published documents are not here")
    variables = '<set-variable name="targetAuthType" value="aws-sigv4" />'
    variables += '<set-variable name="skipBackendUrlRewrite" value="yes" />'
    variables += '<set-variable name="targetBackendPool" value="bedrock" />'
    with Backend(answer) as bedrock:
        values = {"aws-access-key": ID, "aws-secret-key": SECRET, "aws-region": REGION}
        inbound = f'{variables}<include-fragment fragment-id="authorize" />'
        with gateway(
            {"aws.xml": policies(inbound), "authorize.xml": document.read_text()},
            fragments={"authorize": "authorize.xml"},
            backends={"bedrock": {"url": bedrock.url}},
            apis={"a": api(bedrock, policy="aws.xml")},
            **{"named-values": values},
        ) as it:
            got = ask(it, "model/anthropic.claude-v2:1/invoke", json={"prompt": "hello"})
            assert (got.status_code, got.text) == (200, "signed")
