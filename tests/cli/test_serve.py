"""`baton serve`: a real process, from its first line to its end."""

import json
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from api.cli.serve import readable
from api.settings import read_settings
from tests.cli.conftest import Baton
from tests.support.server import SECRET, ServerProcess, environment, running_server

CHAT = "/api/public/v1/chat"


def refused(folder: Path, *options: str, **settings: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "api.cli", "serve", "--port", "0", *options]
    return subprocess.run(command, cwd=folder, env=environment(**settings), capture_output=True, text=True, check=False, timeout=120)


def test_dev_sets_up_an_empty_database_tells_the_keys_and_serves_the_flows(flows: Path) -> None:
    with running_server(flows.parent, "--dev", settings={"BATON_SECRET_KEY": ""}) as server, httpx.Client(base_url=server.url) as client:
        public_key, api_key = server.read_keys()
        session = client.post(f"{CHAT}/sessions", json={"publicKey": public_key}).json()
        assert [intent["name"] for intent in session["intents"]] == ["greeting"]
        token = {"Authorization": f"Bearer {session['sessionToken']}"}
        reply = client.post(f"{CHAT}/messages", json={"text": "hi", "intentName": "greeting"}, headers=token).json()["reply"]
        assert reply["blocks"][0]["payload"]["text"] == "Who are you?"
        engine = client.get("/api/v1/engine/intents", headers={"Authorization": f"Bearer {api_key}"})
        assert engine.status_code == 200
    key_file = flows.parent / "baton.key"
    assert key_file.stat().st_mode & 0o077 == 0


def test_dev_connects_flows_to_the_sample_shop_and_to_nothing_else(flows: Path) -> None:
    asks = "flow: asks\nintent: {}\nnodes:\n  look: {type: http, method: GET, url: /orders, connection: shop, on_error: end, next: end}\n"
    (flows / "asks.yaml").write_text(asks.replace("shop", "bank"))
    refusal = refused(flows.parent, "--dev")
    assert "flows/asks.yaml:4:61: error connection.unknown there is no connection `bank`" in refusal.stderr
    (flows / "asks.yaml").write_text(asks)
    with running_server(flows.parent, "--dev") as server:
        pass
    assert "  Published    asks, greeting\n  Connection   shop, to http://127.0.0.1:8090: start" in server.told


def test_a_second_start_finds_what_the_first_made_and_does_not_tell_secrets_again(flows: Path) -> None:
    with running_server(flows.parent, "--dev") as first:
        public_key, _ = first.read_keys()
    with running_server(flows.parent, "--dev") as second:
        pass
    assert public_key in second.told
    assert "sk_" not in second.told
    assert "  API key      (shown when it was made; another: scripts/baton keys create --api)\n" in second.told


def test_dev_without_a_folder_of_flows_says_that_nothing_is_published(tmp_path: Path) -> None:
    with running_server(tmp_path, "--dev") as server:
        server.read_keys()
    assert "  Published    nothing: there are no flows in a folder flows/ here" in server.told


def test_dev_with_a_flow_that_has_an_error_makes_nothing(flows: Path, baton: Baton) -> None:
    (flows / "bad.yaml").write_text("flow: bad\nnodes: {a: {type: message, next: end}}\n")
    result = refused(flows.parent, "--dev")
    assert (result.returncode, result.stdout) == (1, "")
    assert "flows/bad.yaml:2:9: error key.missing" in result.stderr
    assert baton("keys", "list").stderr == "Error: There is no tenant yet: run `baton init` first.\n"


def test_what_init_made_opens_a_session_and_starts_a_run_over_http(flows: Path, baton: Baton) -> None:
    made = json.loads(baton("init", "--origin", "https://shop.example", "--json").stdout)
    baton("publish", flows)
    with running_server(flows.parent) as server, httpx.Client(base_url=server.url) as client:
        asked = {"publicKey": made["public_key"]}
        assert client.post(f"{CHAT}/sessions", json=asked).json()["error"] == "origin_not_allowed"
        page = {"Origin": "https://shop.example"}
        token = client.post(f"{CHAT}/sessions", json=asked, headers=page).json()["sessionToken"]
        started = client.post(
            f"{CHAT}/messages", json={"text": "hi", "intentName": "greeting"}, headers={**page, "Authorization": f"Bearer {token}"}
        )
        assert started.json()["reply"]["status"] == "waiting_input"
        engine = {"Authorization": f"Bearer {made['api_key']}"}
        envelope = client.post("/api/v1/engine/triggers/chat", json={"intent_name": "greeting"}, headers=engine).json()
        assert envelope["status"] == "waiting_input"


def test_without_dev_and_a_secret_key_it_does_not_start(folder: Path) -> None:
    result = refused(folder, BATON_SECRET_KEY="")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("Error: BATON_SECRET_KEY")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(("options", "settings"), [(("--workers", "2"), {}), ((), {"BATON_WORKERS": "2"})])
def test_more_than_one_process_is_refused_with_what_this_version_can_do(
    folder: Path, options: tuple[str, ...], settings: dict[str, str]
) -> None:
    result = refused(folder, *options, **settings)
    assert (result.returncode, result.stdout) == (2, "")
    told = "A SQLite database has one server process, not 2, and other databases come in a later version"
    assert result.stderr == f"Error: {told}: leave --workers and BATON_WORKERS out.\n"


@pytest.mark.parametrize("endpoint", ["", "http://collector.example:4318"])
def test_a_setting_that_does_nothing_yet_is_told_in_the_log(folder: Path, endpoint: str) -> None:
    with running_server(folder, settings={"BATON_OTEL_ENDPOINT": endpoint}) as server:
        pass
    told = [line for line in map(json.loads, server.errors().splitlines()) if line["event"] == "otel_endpoint_ignored"]
    assert [(line["level"], line["setting"]) for line in told] == ([("warning", "BATON_OTEL_ENDPOINT")] if endpoint else [])
    assert "collector.example" not in server.errors()


def test_a_second_server_on_the_same_database_is_refused(folder: Path) -> None:
    with running_server(folder):
        result = refused(folder)
    assert result.returncode == 1
    assert "Another server runs" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_port_that_is_taken_is_a_finding(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = refused(folder, "--port", str(taken.getsockname()[1]))
    assert (result.returncode, result.stdout) == (1, "")
    assert "cannot be listened on: Address already in use. Choose another with --port " in result.stderr
    assert result.stderr.endswith(", or --port 0 for any free one.\n")


@pytest.mark.parametrize(("named", "form"), [("", "console"), (" ", "console"), ("json", "json")])
def test_a_log_for_people_gives_way_to_a_format_that_is_named(named: str, form: str) -> None:
    named_or_not = {"BATON_LOG_FORMAT": named}
    assert readable(read_settings(named_or_not), named_or_not).log_format == form


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_within_five_seconds_though_a_long_poll_is_open(number: signal.Signals, flows: Path) -> None:
    with (
        running_server(flows.parent, "--dev") as server,
        httpx.Client(base_url=server.url, timeout=30) as client,
        ThreadPoolExecutor() as pool,
    ):
        public_key, _ = server.read_keys()
        token = client.post(f"{CHAT}/sessions", json={"publicKey": public_key}).json()["sessionToken"]
        headers = {"Authorization": f"Bearer {token}"}
        started = client.post(f"{CHAT}/messages", json={"text": "hi", "intentName": "greeting"}, headers=headers).json()["reply"]
        poll = pool.submit(client.get, f"{CHAT}/executions/{started['executionId']}?wait=30", headers=headers)
        assert client.get("/health/live").status_code == 200
        began = time.monotonic()
        assert server.stop(number) == 0
        assert time.monotonic() - began < 5
        assert poll.exception() is None or isinstance(poll.exception(), httpx.HTTPError)


def test_what_is_answered_is_there_after_a_kill(flows: Path) -> None:
    server = ServerProcess(flows.parent, "--dev", settings={"BATON_SECRET_KEY": SECRET})
    server.wait_until_ready()
    public_key, _ = server.read_keys()
    with httpx.Client(base_url=server.url) as client:
        token = client.post(f"{CHAT}/sessions", json={"publicKey": public_key}).json()["sessionToken"]
        headers = {"Authorization": f"Bearer {token}"}
        asked = client.post(f"{CHAT}/messages", json={"text": "hi", "intentName": "greeting"}, headers=headers).json()["reply"]
    server.stop(signal.SIGKILL)
    with running_server(flows.parent, "--dev") as again, httpx.Client(base_url=again.url) as client:
        found = client.get(f"{CHAT}/executions/{asked['executionId']}", headers=headers).json()["reply"]
        assert found["waitToken"] == asked["waitToken"]
        body = {"waitToken": asked["waitToken"], "executionId": asked["executionId"], "text": "Ada"}
        assert client.post(f"{CHAT}/messages", json=body, headers=headers).json()["reply"]["status"] == "completed"
