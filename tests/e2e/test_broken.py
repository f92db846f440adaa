"""What the gateway does while the services under it are down, and after."""

import requests

from http_calls import chat, control, eventually, fault


def status(dev, api, mint=None):
    if mint is None:
        return chat(dev, api, api_key=dev.subscription_key).status_code
    return chat(dev, api, authorization=f"Bearer {mint()}").status_code


def test_cached_keys_go_on_while_the_identity_provider_is_down(own_dev, mint):
    assert status(own_dev, "openai-jwt", mint) == 200
    fault(own_dev.entra, outage=True)
    assert status(own_dev, "openai-jwt", mint) == 200
    assert status(own_dev, "openai-entra", mint) == 200


def test_managed_identity_down_is_a_clear_error_and_recovers(own_dev):
    fault(own_dev.imds, outage=True)
    answer = chat(own_dev, "openai-identity", api_key=own_dev.subscription_key)
    expected = '{ "statusCode": 503, "message": "Managed identity is not available." }'
    assert (answer.status_code, answer.text) == (503, expected)
    fault(own_dev.imds)
    # A failure is remembered for half a second, so that an outage is not made worse.
    assert eventually(lambda: status(own_dev, "openai-identity") == 200)


def test_backend_down_is_a_gateway_error_and_recovers(own_dev):
    assert status(own_dev, "openai-key") == 200
    fault(own_dev.azure_openai, outage=True)
    answer = chat(own_dev, "openai-key", api_key=own_dev.subscription_key)
    assert answer.status_code == 500
    assert answer.json()["message"] == "Internal server error"
    fault(own_dev.azure_openai)
    assert status(own_dev, "openai-key") == 200


def test_a_throttled_backend_is_passed_on(own_dev):
    fault(own_dev.azure_openai, **{"status": 429, "retry-after": 7, "times": 1})
    answer = chat(own_dev, "openai-key", api_key=own_dev.subscription_key)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    assert status(own_dev, "openai-key") == 200


def test_a_rotated_key_is_fetched_when_its_first_token_comes(own_dev):
    def token():
        answer = requests.post(
            f"{own_dev.entra}/{own_dev.tenant_id}/oauth2/v2.0/token",
            data={
                "grant_type": "client_credentials",
                "client_id": own_dev.client_id,
                "client_secret": own_dev.client_secret,
                "scope": "https://cognitiveservices.azure.com/.default",
            },
            verify=own_dev.ca_file,
        )
        return answer.json()["access_token"]

    def call(text):
        return chat(own_dev, "openai-jwt", authorization=f"Bearer {text}").status_code

    old = token()
    assert call(old) == 200
    control(own_dev.entra, "POST", "rotate-keys")
    new = token()
    assert call(new) == 200
    assert call(old) == 200
