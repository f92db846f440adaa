"""Each command as a user types it."""

import json
import subprocess
import xml.etree.ElementTree

import pytest

from conftest import PROGRAM, Process, run
from servers import folder, policies

BROKEN = policies(
    '<set-header name="x"><value>{{missing}}</value></set-header><forward-request />'
    '<no-such /><set-variable name="m" value="@(context.Request.Metod)" />'
    '<include-fragment fragment-id="gone" />'
)
EXPECTED = ["PC0201", "PC0204", "PC0321", "PC0401", "PC0413"]


def call(*arguments, **options):
    return subprocess.run(
        [PROGRAM, *arguments], capture_output=True, text=True, timeout=60, **options
    )


def codes(form, text):
    """The codes of the errors that a format shows."""
    if form == "json":
        problems = [json.loads(line) for line in text.splitlines()]
        return [it["code"] for it in problems if it["severity"] == "error"]
    if form == "sarif":
        results = json.loads(text)["runs"][0]["results"]
        return [it["ruleId"] for it in results if it["level"] == "error"]
    if form == "github":
        lines = [it for it in text.splitlines() if it.startswith("::error ")]
        return [it.split("title=")[1].split("::")[0] for it in lines]
    if form == "junit":
        text = "".join(it.text for it in xml.etree.ElementTree.fromstring(text).iter("failure"))
    return [it[6:12] for it in text.splitlines() if it.startswith("error[")]


@pytest.mark.parametrize("form", ["human", "json", "sarif", "github", "junit"])
def test_every_problem_is_told_at_once_in_every_form(form):
    with folder({"policy.xml": BROKEN}) as it:
        done = call("validate", str(it.path), "--format", form)
        assert (done.returncode, sorted(codes(form, done.stdout))) == (1, EXPECTED)
        # A lone file: what is not at hand is a note.
        done = call("validate", str(it.path / "policy.xml"), "--format", form)
        assert (done.returncode, sorted(codes(form, done.stdout))) == (1, EXPECTED[2:])


def test_lone_files_that_are_sound_pass():
    files = {
        "policy.xml": policies('<include-fragment fragment-id="f" /><set-method>{{m}}</set-method>'),
        "fragment.xml": "<fragment><set-method>GET</set-method></fragment>",
    }
    with folder(files) as it:
        done = call("validate", *(str(it.path / name) for name in files))
        assert done.returncode == 0, done.stdout
        assert "1 policy, 1 fragment" in done.stdout and "0 errors" in done.stdout


def test_a_code_is_explained():
    assert "named value" in run("validate", "--explain", "pc0204")


@pytest.mark.parametrize("shell", ["bash", "fish", "pwsh", "dotenv"])
def test_variables_point_at_what_runs(shell):
    with Process("dev", "--ports", "ephemeral") as process:
        env = run("env", "--shell", shell, "--data-dir", str(process.folder))
        for value in (process.at.entra, process.at.key_vault, process.at.app_service_identity):
            assert value in env
        if shell == "bash":
            script = f"{env}\necho $AZURE_OPENAI_ENDPOINT"
            out = subprocess.check_output(["bash", "-c", script], text=True)
            assert out.strip() == f"{process.at.gateway}/openai-key"


def test_variables_of_nothing_are_an_error_and_leave_no_trace(tmp_path):
    done = call("env", "--data-dir", str(tmp_path / "none"))
    assert (done.returncode, done.stdout, list(tmp_path.iterdir())) == (3, "", [])


def test_the_curls_of_dev_work_when_pasted(tmp_path):
    with Process("dev", "--ports", "ephemeral", cwd=tmp_path) as process:
        # The last of them is the last line of the banner.
        curls = [line.strip() for line in process.banner(4) if line.startswith("  curl ")]
        assert len(curls) == 4
        for curl in curls:
            out = subprocess.check_output(["bash", "-c", curl], text=True, timeout=30)
            assert json.loads(out)["choices"][0]["message"]["content"] == "You said: hello"


def test_a_token_is_explained():
    token = run("token", "mint", "--roles", "A,B", "--client", "c", "--lifetime=-5m")
    human = run("token", "inspect", token)
    assert "appid        c" in human and "it has expired" in human
    piped = run("token", "inspect", "-", "--format", "json", input=token)
    assert json.loads(piped)["claims"]["roles"] == ["A", "B"]
    forged = run("token", "inspect", run("token", "mint", "--forge", "alg-none"))
    assert "not signed at all" in forged
    assert call("token", "inspect", "nonsense").returncode == 1
    assert call("token", "mint", "--forge", "nonsense").returncode == 2


@pytest.mark.parametrize(
    "expression,code,out",
    [
        ("@(7/2+0.5)", 0, "System.Double: 3.5"),
        ("1+1", 0, "System.Int32: 2"),
        ('@{ return "x"; }', 0, "System.String: x"),
        ("@{ while (true) { } }", 1, "Portcullis.BudgetExceeded"),
        ("@(context.Request.Nope)", 1, ""),
        ('@(System.IO.File.ReadAllText("/etc/passwd"))', 1, ""),
        ("@(", 1, ""),
        ("", 1, ""),
    ],
)
def test_an_expression_is_evaluated(expression, code, out):
    done = call("expr", expression)
    assert done.returncode == code and "panicked" not in done.stderr
    assert out in done.stdout + done.stderr


def test_recorded_cases_are_evaluated_line_by_line(tmp_path):
    file = tmp_path / "cases.jsonl"
    case = {"id": "a", "area": "x", "kind": "expression", "code": "1 + 1"}
    file.write_text(json.dumps(case) + "\n\n" + json.dumps({**case, "id": "b", "code": "nope"}))
    done = call("expr", "--cases", str(file))
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert [it["id"] for it in results] == ["a", "b"], done.stderr
    assert results[0]["expected"] == {"ok": True, "type": "System.Int32", "value": 2}
    assert results[1]["expected"]["ok"] is False
    file.write_text("nonsense\n")
    assert call("expr", "--cases", str(file)).returncode == 1
    # A folder, and a file that is not there.
    for path in (tmp_path, tmp_path / "none"):
        assert call("expr", "--cases", str(path)).returncode == 3


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "pwsh", "nu"])
def test_completions_know_every_command(shell):
    script = run("completions", shell)
    commands = ["run", "dev", "validate", "simulate", "env", "token", "expr", "version"]
    assert all(it in script for it in commands)


def test_the_version_is_told():
    told = json.loads(run("version", "--json"))
    assert told["name"] == "portcullis" and told["version"] in run("version")


@pytest.mark.parametrize("color", ["always", "never", "auto"])
@pytest.mark.parametrize("env", [{}, {"CLICOLOR_FORCE": "1"}, {"NO_COLOR": "1"}])
def test_no_command_minds_colour(color, env, monkeypatch):
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert call("version", "--color", color, "-vv").returncode == 0


def test_a_log_filter_is_checked():
    assert call("version", "--log", "a=b=c").returncode == 2
    assert call("version", "--log", "info,identity=debug").returncode == 0
