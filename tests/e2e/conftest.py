"""Starts one `portcullis dev` for all tests and tells them where everything is."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import threading
import types

import pytest

ROOT = pathlib.Path(__file__).parents[2]
PROGRAM = os.environ.get("PORTCULLIS", str(ROOT / "target/debug/portcullis"))
RESOURCE = "https://cognitiveservices.azure.com"


def run(*arguments, **options):
    """Runs the program to its end; gives what it printed."""
    done = subprocess.run(
        [PROGRAM, *arguments], capture_output=True, text=True, timeout=60, **options
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


class Process:
    """A `portcullis` that runs until it is stopped."""

    def __init__(self, *arguments, env=None, cwd=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="portcullis-test-"))
        self.ready_file = self.folder / "ready.json"
        self.log = open(self.folder / "log", "w+")
        self.process = subprocess.Popen(
            [PROGRAM, *arguments, "--ready-file", str(self.ready_file)],
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
            env={**os.environ, "PORTCULLIS_DATA_DIR": str(self.folder), **(env or {})},
            cwd=cwd,
        )
        self.lines = []
        self.more = threading.Condition()
        self.has_spoken = threading.Event()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        # The banner comes after the ready file: its first line, or the end, says that it is there.
        self.has_spoken.wait(timeout=60)
        if not self.ready_file.exists():
            self.stop()
            raise AssertionError(f"did not start: {self.text()}")
        self.at = types.SimpleNamespace(**json.loads(self.ready_file.read_text()))

    def read(self):
        for line in self.process.stdout:
            with self.more:
                self.lines.append(line)
                self.more.notify_all()
            self.has_spoken.set()
        self.has_spoken.set()

    def text(self):
        """What it has said on standard error."""
        return (self.folder / "log").read_text()

    def banner(self, n_curls):
        """The lines of the banner, once it has this many calls to try."""
        with self.more:
            told = lambda: sum(line.startswith("  curl ") for line in self.lines) >= n_curls
            self.more.wait_for(told, timeout=20)
            return list(self.lines)

    def output(self):
        """What it has said on standard output: the banner and the access log."""
        return "".join(self.lines)

    def stop(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.wait()

    def wait(self, seconds=40):
        """Waits for its end; gives its exit code."""
        try:
            self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.reader.join(timeout=10)
        return self.process.returncode

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        self.process.stdout.close()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)


@pytest.fixture(scope="session")
def dev():
    with Process("dev", "--ports", "ephemeral") as process:
        yield process.at


@pytest.fixture
def own_dev():
    """A `dev` of the test's own, to break."""
    with Process("dev", "--ports", "ephemeral") as process:
        yield process.at


@pytest.fixture(scope="session")
def mint():
    """Mints a token of the stand-in tenant: mint("--roles", "a")."""
    return lambda *arguments: run("token", "mint", *arguments)
