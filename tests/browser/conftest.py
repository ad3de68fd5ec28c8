"""A real server with the flows of this folder, and a real browser that looks at its page."""

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Dialog, Page, Playwright, Request, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
FLOWS = Path(__file__).resolve().parent / "flows"
START_WITHIN = 30.0
STOP_WITHIN = 10.0
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/ready", timeout=2).is_success
    except httpx.TransportError:
        return False


def wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_WITHIN
    while not is_ready(url):
        if process.poll() is not None or time.monotonic() > until:
            pytest.fail(f"the server did not start:\n{log.read_text(encoding='utf-8')[-4000:]}")
        time.sleep(0.1)


def settings_of(folder: Path) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("BATON_")}
    return own | {
        "PYTHONPATH": str(ROOT),
        "BATON_DATABASE_URL": f"sqlite:///{folder / 'baton.db'}",
        "BATON_RATE_LIMIT_SESSIONS": "off",
        "BATON_RATE_LIMIT_MESSAGES": "off",
    }


class SlowPlace(ThreadingHTTPServer):
    """A server that flows ask, and that answers when a test lets it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), SlowAnswer)
        self.may_answer = threading.Event()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server_port}"


class SlowAnswer(BaseHTTPRequestHandler):
    server: SlowPlace

    def do_GET(self) -> None:
        self.server.may_answer.wait(START_WITHIN)
        self.send_response(500 if self.path == "/broken" else 200)
        self.end_headers()
        self.wfile.write(b"Here I am again.")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as it is called there
        pass


@pytest.fixture(scope="session")
def slow_place() -> Iterator[SlowPlace]:
    with SlowPlace() as place:
        threading.Thread(target=place.serve_forever, daemon=True).start()
        yield place
        place.shutdown()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, slow_place: SlowPlace) -> Iterator[str]:
    """The address of a server in a folder of its own, whose `flows/` are this folder's and the project's."""
    folder = tmp_path_factory.mktemp("baton")
    shutil.copytree(FLOWS, folder / "flows")
    errand = folder / "flows" / "errand.yaml"
    errand.write_text(errand.read_text(encoding="utf-8").replace("127.0.0.1:PORT", slow_place.host), encoding="utf-8")
    shutil.copytree(ROOT / "flows", folder / "flows", dirs_exist_ok=True)
    url = f"http://127.0.0.1:{(port := free_port())}"
    log = folder / "server.log"
    command = [sys.executable, "-m", "api.cli", "serve", "--dev", "--port", str(port)]
    with log.open("wb") as output:
        env = settings_of(folder) | {"BATON_ALLOWED_HOSTS_OUTBOUND": slow_place.host}
        process = subprocess.Popen(command, cwd=folder, env=env, stdout=output, stderr=output)
    try:
        wait_until_ready(url, process, log)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(STOP_WITHIN)
        finally:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """Playwright runs a loop for as long as it lives, and no other loop may run in this thread meanwhile."""
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    program = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if program is None:
        pytest.fail(f"none of {', '.join(BROWSERS)} is on PATH; `-m 'not browser'` leaves these tests out")
    browser = playwright.chromium.launch(executable_path=program, args=list(QUIET))
    yield browser
    browser.close()


@pytest.fixture
def context(browser: Browser, server: str) -> Iterator[BrowserContext]:
    """A person's own browser; whatever a test does, nothing may leave this machine and no script may fail."""
    context = browser.new_context(base_url=server, locale="en-GB", viewport={"width": 360, "height": 720})
    context.set_default_timeout(10_000)
    elsewhere: list[str] = []
    failures: list[str] = []

    def note_request(request: Request) -> None:
        if urlsplit(request.url).hostname != "127.0.0.1":
            elsewhere.append(request.url)

    def note_dialog(dialog: Dialog) -> None:
        failures.append(f"a dialog: {dialog.message}")
        dialog.dismiss()

    context.on("request", note_request)
    context.on("weberror", lambda failed: failures.append(str(failed.error)))
    context.on("dialog", note_dialog)
    yield context
    context.close()
    assert elsewhere == []
    assert failures == []


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """The chat page on a phone's width, ready for its first word."""
    page = context.new_page()
    page.goto("/")
    page.get_by_role("heading", name="What can we do for you?").wait_for()
    return page
