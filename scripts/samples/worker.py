"""A worker to start your own from: it does the tasks that `task` nodes put into a queue. Here it checks the numbers of passports.

It asks the server for a task, which is its own for a lease; says now and then that it is still at it, so that the lease does not run
out; and gives a result, or says what went wrong. Where it dies, the lease runs out, and another worker gets the task: so a task may be
begun twice, while its result counts once. What a worker changes elsewhere it should change under the task's id.
"""

import argparse
import json
import os
import re
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

LEASE: Final = 30
"""Seconds for which a task is ours; it is kept three times as often."""
_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_WEIGHTS: Final = (7, 3, 1)
_MOST_ATTEMPTS: Final = 3


class TaskFailed(Exception):
    """The task cannot be done; the flow's `on_error` leads on by the code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def do(payload: dict[str, Any]) -> dict[str, Any]:
    """The work itself: whether the last character of a passport number is its check digit (ICAO 9303)."""
    number = str(payload.get("number", "")).upper().replace(" ", "")
    if len(number) < 2 or any(character not in _DIGITS for character in number):  # noqa: PLR2004 - a number and its digit
        raise TaskFailed("unreadable", "A passport number is made of letters and digits.")
    body, digit = number[:-1], number[-1]
    total = sum(_DIGITS.index(character) * _WEIGHTS[place % 3] for place, character in enumerate(body))
    return {"valid": str(total % 10) == digit, "number": body}


class Engine:
    """The tasks of a Baton server, for one API key."""

    def __init__(self, url: str, api_key: str) -> None:
        self._base = f"{url.rstrip('/')}/api/v1/engine/tasks"
        self._headers = {"Authorization": f"Bearer {api_key}", "Content-Type": "application/json"}

    def claim(self, queue: str) -> list[dict[str, Any]]:
        """At most one task."""
        tasks: list[dict[str, Any]] = self._post("claim", {"queue": queue, "limit": 1, "lease_seconds": LEASE})["tasks"]
        return tasks

    def keep(self, task: dict[str, Any]) -> None:
        """The lease begins anew."""
        self._post(f"{task['task_id']}/heartbeat", {"lease_token": task["lease_token"], "lease_seconds": LEASE})

    def complete(self, task: dict[str, Any], result: dict[str, Any]) -> None:
        """The run goes on with the result."""
        self._post(f"{task['task_id']}/complete", {"lease_token": task["lease_token"], "result": result})

    def fail(self, task: dict[str, Any], code: str, message: str, *, retry: bool = False) -> None:
        """The run goes on at its `on_error`; with `retry` somebody else may try instead."""
        self._post(f"{task['task_id']}/fail", {"lease_token": task["lease_token"], "code": code, "message": message, "retry": retry})

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        request = urllib.request.Request(f"{self._base}/{path}", json.dumps(body).encode(), self._headers)  # noqa: S310 - whoever starts us names it
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - the same
            try:
                found = json.load(answer)
            except ValueError:
                found = None
        if not isinstance(found, dict):
            raise OSError("what answers is no Baton server")  # a proxy's error page, for instance
        return found


@contextmanager
def kept(engine: Engine, task: dict[str, Any]) -> Iterator[None]:
    """The task stays ours as long as the block lasts."""
    done = threading.Event()

    def beat() -> None:
        while not done.wait(LEASE / 3):
            try:
                engine.keep(task)
            except urllib.error.HTTPError:
                return  # it is not ours any more: what we give will be refused
            except OSError:
                continue  # the server may come back before the lease is over

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def work_on(engine: Engine, task: dict[str, Any], seconds: float) -> str:
    """Do one task; gives what came of it."""
    try:
        with kept(engine, task):
            time.sleep(seconds)  # so that one sees it wait; yours takes its own time
            result = do(task["payload"])
        engine.complete(task, result)
    except TaskFailed as failure:
        engine.fail(task, failure.code, str(failure))
        return f"failed: {failure.code}"
    except urllib.error.HTTPError:
        raise
    except BaseException:
        # We are stopped, or have a fault: the task goes back at once, but not for ever.
        engine.fail(task, "worker.broke", "The worker stopped.", retry=task["attempt"] < _MOST_ATTEMPTS)
        raise
    return f"done: {json.dumps(result)}"


def serve(engine: Engine, queue: str, *, seconds: float, pause: float, once: bool) -> bool:
    """Do tasks until there are none (once), or for good; gives whether the last look found the queue empty."""
    while True:
        answered = True
        try:
            tasks = engine.claim(queue)
            for task in tasks:
                print(f"task {task['task_id']}, attempt {task['attempt']}: {work_on(engine, task, seconds)}", flush=True)
        except urllib.error.HTTPError as refusal:
            answered = False
            print(f"refused: {refusal.code} {refusal.read().decode(errors='replace')}", flush=True)
            if refusal.code in {401, 403}:
                raise SystemExit("BATON_API_KEY is no key that may do this.") from refusal
            tasks = []  # 404, 409: it came too late, and nobody waits any more; what else there is may pass
        except OSError as error:
            answered = False
            print(f"no server: {error}", flush=True)
            tasks = []
        if not tasks:
            if once:
                return answered
            time.sleep(pause)


def server(text: str) -> str:
    """The address of a server, as it is asked for on the command line."""
    try:
        parts = urlsplit(text)
        sound = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0 and not re.search(r"\s", text)
    except ValueError:
        sound = False
    if not sound:
        raise argparse.ArgumentTypeError(f"{text!r} is no address: write it as http://HOST:PORT")
    return text


def main() -> None:
    """Work until it is interrupted."""
    parser = argparse.ArgumentParser("scripts/worker", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--server", type=server, default="http://127.0.0.1:8080", metavar="URL", help="the Baton server (http://127.0.0.1:8080)"
    )
    parser.add_argument("--queue", default="documents", help="whose tasks it does (documents)")
    parser.add_argument("--takes", type=float, default=2.0, metavar="SECONDS", help="that a task takes (2)")
    parser.add_argument("--pause", type=float, default=1.0, metavar="SECONDS", help="between two looks at an empty queue (1)")
    parser.add_argument("--once", action="store_true", help="end when the queue is empty; with 1 where no server answers")
    parser.epilog = "The API key is in BATON_API_KEY. Example: BATON_API_KEY=sk_... scripts/worker --takes 5"
    asked = parser.parse_args()
    key = os.environ.get("BATON_API_KEY", "")
    if not key:
        raise SystemExit("BATON_API_KEY must be an API key of the tenant (sk_...); `scripts/baton keys create --api` makes one.")
    print(f"Working on the queue {asked.queue} of {asked.server}", flush=True)
    try:
        if not serve(Engine(asked.server, key), asked.queue, seconds=asked.takes, pause=asked.pause, once=asked.once):
            raise SystemExit(1)
    except KeyboardInterrupt:
        print("Stopped.")


if __name__ == "__main__":
    main()
