"""What comes before the first turn: loading and checking a long flow, and a server's start with many flows published."""

import asyncio
import os
import sys
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Final

from engine.loading import Source, load_flow
from engine.runtime.administration import KeyTerms, create_tenant, publish
from engine.runtime.store.sqlite.open import open_registry
from scripts.benchmarks.results import Loading, StartUp
from scripts.benchmarks.subject import SECRET

_NODES_OF_EACH: Final = 20
_STATIONS: Final = """\
  ask_{n}: {{type: ask, prompt: "Station {n}. Which way, {{{{ vars.name }}}}?", save: way_{n}, next: fork_{n}}}
  fork_{n}:
    type: switch
    cases:
      - {{when: "vars.way_{n} == 'left'", next: left_{n}}}
    else: right_{n}
  left_{n}: {{type: message, text: "Left at {n}, {{{{ vars.name | upper }}}}.", next: {following}}}
  right_{n}: {{type: set, values: {{count: "{{{{ vars.count + 1 }}}}"}}, next: {following}}}
"""
_KINDS: Final = 4


def written(name: str, nodes: int) -> Source:
    """A sound flow of at least so many nodes: questions, branches, messages and assignments."""
    stations = -(-nodes // _KINDS)
    told = "".join(
        _STATIONS.format(n=number, following=f"ask_{number + 1}" if number + 1 < stations else "end") for number in range(stations)
    )
    head = f"flow: {name}\nintent: {{label: Go}}\nexpires_after: 1d\nvariables: {{name: you, count: 0}}\n"
    return Source(f"{name}.yaml", f"{head}nodes:\n{told}")


def load(nodes: int, rounds: int) -> Loading:
    """Seconds to load and check one flow of so many nodes."""
    source = written("long", nodes)
    took: list[float] = []
    found = 0
    for _ in range(rounds):
        began = perf_counter()
        loaded = load_flow(source)
        took.append(perf_counter() - began)
        if loaded.flow is None:
            raise AssertionError(loaded.diagnostics[:3])
        found = len(loaded.flow.nodes)
    return Loading(nodes=found, seconds=median(took))


async def start_up(folder: Path, flows: int, rounds: int) -> StartUp:
    """Seconds from the call of `baton serve` until it listens, with so many flows published and with one, in turn."""
    few, many = folder / "one_flow.db", folder / "flows.db"
    await _publish(few, 1)
    await _publish(many, flows)
    took = [(await _listening(folder, few), await _listening(folder, many)) for _ in range(rounds)]
    return StartUp(flows=flows, seconds=median(other for _, other in took), with_one=median(one for one, _ in took))


async def _publish(path: Path, flows: int) -> None:
    registry = await open_registry(path)
    try:
        tenant = await create_tenant(registry, "bench", KeyTerms(), 0)
        await publish(registry, tenant.tenant_id, [written(f"flow_{number}", _NODES_OF_EACH) for number in range(flows)], 0)
    finally:
        await registry.close()


async def _listening(folder: Path, path: Path) -> float:
    settings = {"BATON_DATABASE_URL": f"sqlite:///{path}", "BATON_SECRET_KEY": SECRET.decode(), "BATON_PORT": "0"}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BATON_")}
    began = perf_counter()
    with (folder / "serve.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "api.cli", "serve"), env={**kept, **settings}, stdout=asyncio.subprocess.PIPE, stderr=log
        )
    try:
        if process.stdout is None:
            raise AssertionError("it was asked for")
        if not (await process.stdout.readline()).startswith(b"Baton is listening"):
            raise RuntimeError(f"The server did not start:\n{(folder / 'serve.log').read_text(encoding='utf-8')}")
        return perf_counter() - began
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
