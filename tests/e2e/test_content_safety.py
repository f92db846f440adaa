"""`llm-content-safety` with the openai client, against the stand-ins of models and Content Safety."""

import contextlib
import types

import openai
import pytest

from http_calls import control, fault
from servers import api, gateway, policies

RULES = """
  <categories output-type="FourSeverityLevels">
    <category name="Hate" threshold="4" />
    <category name="Violence" threshold="4" />
  </categories>
"""


@contextlib.contextmanager
def guarded(dev, inbound="", outbound="", **settings):
    """A client of a gateway with these policies."""
    models = types.SimpleNamespace(url=dev.azure_openai)
    safety = {
        "url": dev.azure_openai,
        "auth": {"header": "Ocp-Apim-Subscription-Key", "value": dev.azure_openai_key},
    }
    files = {"p.xml": policies(inbound, outbound)}
    apis = {"models": api(models, policy="p.xml")}
    with gateway(files, apis=apis, backends={"safety": safety}, **settings) as process:
        yield openai.OpenAI(
            base_url=f"{process.at.gateway}/openai/v1/",
            api_key=dev.azure_openai_key,
            max_retries=0,
        )


def say(client, text, **more):
    messages = [{"role": "user", "content": text}]
    return client.chat.completions.create(model="gpt-4o", messages=messages, **more)


def streamed(client, text):
    chunks = list(say(client, text, stream=True))
    words = [c.choices[0].delta.content or "" for c in chunks if c.choices]
    ends = [c.choices[0].finish_reason for c in chunks if c.choices]
    return "".join(words), ends[-1] if ends else None


def test_prompts_are_judged(dev):
    policy = f'<llm-content-safety backend-id="safety" shield-prompt="true">{RULES}</llm-content-safety>'
    with guarded(dev, inbound=policy) as client:
        assert say(client, "hello").choices[0].message.content == "You said: hello"
        assert streamed(client, "hello") == ("You said: hello", "stop")
        for bad in ["[hate]", "so [violence:6] it is", "[attack]", "x" * 10_001]:
            with pytest.raises(openai.PermissionDeniedError) as refusal:
                say(client, bad)
            assert "Request failed content safety check." in str(refusal.value)
        assert say(client, "[hate:2]").choices[0].finish_reason == "stop"


def test_answers_are_judged(dev):
    policy = f'<llm-content-safety backend-id="safety">{RULES}</llm-content-safety>'
    with guarded(dev, outbound=policy) as client:
        assert say(client, "hello").choices[0].message.content == "You said: hello"
        with pytest.raises(openai.PermissionDeniedError):
            say(client, "[hate]")


def test_a_stream_stops_before_what_is_bad(dev):
    policy = f"""<llm-content-safety backend-id="safety" window-size="24" window-overlap-size="8">
        {RULES}</llm-content-safety>"""
    with guarded(dev, outbound=policy) as client:
        long = " ".join(f"word{n}" for n in range(30))
        assert streamed(client, long) == (f"You said: {long}", "stop")
        text, end = streamed(client, f"{long} [hate] and more")
        assert text.startswith("You said: word0") and "[hate]" not in text
        assert end is None


def test_without_a_verdict_nothing_passes_unless_told_so(own_dev):
    policy = f'<llm-content-safety backend-id="safety">{RULES}</llm-content-safety>'
    down = {"path": "/contentsafety/", "status": 500}
    with guarded(own_dev, inbound=policy) as client:
        control(own_dev.azure_openai, "PUT", "fault", down)
        with pytest.raises(openai.InternalServerError) as refusal:
            say(client, "hello")
        assert refusal.value.status_code == 503
        fault(own_dev.azure_openai)
        assert say(client, "hello").choices[0].finish_reason == "stop"
    settings = {"ai": {"content-safety": {"when-unavailable": "allow"}}}
    with guarded(own_dev, inbound=policy, **settings) as client:
        control(own_dev.azure_openai, "PUT", "fault", down)
        assert say(client, "hello").choices[0].finish_reason == "stop"
