"""A real `baton serve` in a process of its own, on a free port, for tests of any room."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SECRET = "a secret key of the tests, longer than 32 bytes"
PATIENCE = 60.0
"""Seconds after which a server that does not come up, or does not end, is killed; a machine may be busy."""
_URL = re.compile(r"Baton is listening on (http://\S+)")


def environment(**settings: str) -> dict[str, str]:
    """The environment of a child: ours without our settings, with these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BATON_")}
    return {**kept, "PYTHONPATH": str(ROOT), "BATON_SECRET_KEY": SECRET, **settings}


class ServerProcess:
    """A server that is starting; `wait_until_ready` tells where it listens."""

    def __init__(self, folder: Path, *options: str, settings: Mapping[str, str] | None = None) -> None:
        self._errors = (folder / "server.err").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "api.cli", "serve", "--port", "0", *options],
            cwd=folder,
            env=environment(**(settings or {})),
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        self.folder = folder
        self.url = ""
        self.told = ""
        """What it wrote on standard output, as far as it was read; all of it after `stop`."""

    def errors(self) -> str:
        """What it wrote on standard error."""
        return (self.folder / "server.err").read_text(encoding="utf-8")

    def wait_until_ready(self) -> None:
        """Return once it has said that it listens; raises AssertionError with its errors where it ends instead."""
        assert self.process.stdout is not None
        with self._killed_after_patience():
            self.told = self.process.stdout.readline()
        found = _URL.match(self.told)
        assert found, f"the server ended with {self.stop(signal.SIGKILL)}: {self.told}{self.errors()}"
        self.url = found[1]

    def read_keys(self) -> tuple[str, str]:
        """The public key and the API key that `--dev` tells on an empty database, below the first line."""
        assert self.process.stdout is not None
        with self._killed_after_patience():
            lines = [self.process.stdout.readline() for _ in range(3)]
        self.told += "".join(lines)
        return re.findall(r"pk_test_[0-9a-f]{32}", self.told)[0], re.findall(r"sk_\S+", self.told)[0]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send the signal, wait for the end, and give the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        with self._killed_after_patience():
            code = self.process.wait()
        self._close()
        return code

    def _close(self) -> None:
        if self.process.stdout is not None and not self.process.stdout.closed:
            self.told += self.process.stdout.read()
            self.process.stdout.close()
        self._errors.close()

    @contextmanager
    def _killed_after_patience(self) -> Iterator[None]:
        alarm = threading.Timer(PATIENCE, self.process.kill)
        alarm.start()
        try:
            yield
        finally:
            alarm.cancel()


@contextmanager
def running_server(folder: Path, *options: str, settings: Mapping[str, str] | None = None) -> Iterator[ServerProcess]:
    """A server in the folder (its database is `baton.db` there), ready; told to stop by SIGTERM at the end."""
    server = ServerProcess(folder, *options, settings=settings)
    try:
        server.wait_until_ready()
        yield server
    finally:
        server.stop()
