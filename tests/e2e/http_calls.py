"""Plain HTTP calls, for what no SDK would send."""

import requests

PATH = "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21"
BODY = {"messages": [{"role": "user", "content": "hi"}]}


def chat(dev, api, **headers):
    """A chat completion through one of the example's APIs."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return requests.post(f"{dev.gateway}/{api}{PATH}", json=BODY, headers=named, timeout=30)


def control(url, method, action, body=None):
    """A control call to a stand-in, whose certificate does not matter here."""
    answer = requests.request(
        method, f"{url}/.simulator/{action}", json=body, verify=False, timeout=30
    )
    assert answer.status_code < 300, answer.text
    return answer


def fault(url, **fault):
    """Breaks a stand-in; without arguments, mends it."""
    control(url, "PUT", "fault", fault)
