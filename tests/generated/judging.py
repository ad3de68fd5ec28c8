"""Whether `check` finds a slip; where it does not, the flow is published, and talked with for a while."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Literal

from msgspec import Struct

from engine.loading import Loaded, Source, load_flows, read_yaml
from engine.loading.tree import plain
from engine.model.flow import Flow
from engine.runtime.administration import checked_drafts
from engine.runtime.turns.memory import StoredRuns
from engine.testing.clock import ManualClock
from engine.testing.memory import MemoryRegistry, MemoryStore
from tests.generated.dice import Dice
from tests.generated.meeting import Differed, Meeting
from tests.generated.mutating import Slip, slips
from tests.generated.questions import Written
from tests.generated.worlds import World
from tests.generated.writing import spelt, write_family

Verdict = Literal["error", "warning", "sound", "missed", "broke"]
"""Found, and how gravely; another flow that is right; one that is wrong and was let pass; or one that broke something."""

ROOT: Final = Path(__file__).parent.parent.parent
_TURNS: Final = 10


Problems = Counter[tuple[str, str, str]]
"""Severity, code and message, wherever it stands."""


class Group(Struct, frozen=True):
    """Flows that know one another, as values by their ids, and what `check` says of them as they are."""

    documents: dict[str, Written]
    flows: dict[str, Flow]
    said: dict[str, "Problems"]
    """Flow to what is said of it."""


class Try(Struct, frozen=True):
    """One slip in one flow of a group."""

    group: int
    flow: str
    slip: Slip


class Judged(Struct, frozen=True):
    """What became of a slip, and why."""

    tried: Try
    verdict: Verdict
    text: str
    why: str = ""

    def __str__(self) -> str:
        path = "/".join(map(str, self.tried.slip.path))
        return f"{self.verdict}: {self.tried.slip.kind} at {self.tried.flow}:{path} {self.why}"


def groups(families: int) -> list[Group]:
    """The example flows, those that show the language, and that many generated families."""
    written = [_read(ROOT / "flows"), _read(ROOT / "tests" / "language")]
    written += [{one.name: one.document for one in write_family(seed)} for seed in range(families)]
    return [_group(documents) for documents in written]


def tries(found: list[Group], most: int | None) -> Iterator[Try]:
    """Slips of every kind, of each at most that many, spread over all flows."""
    every: dict[str, list[Try]] = {}
    for number, group in enumerate(found):
        for name, document in group.documents.items():
            for slip in slips(document):
                every.setdefault(slip.kind, []).append(Try(number, name, slip))
    for kind, of_kind in sorted(every.items()):
        yield from Dice(kind).some(of_kind, min(most, len(of_kind)), most) if most is not None else of_kind


def judge(group: Group, tried: Try) -> Judged:
    """Makes the slip, and looks what becomes of it."""
    text = tried.slip.change(group.documents[tried.flow])
    try:
        fresh = _found(group, tried.flow, text)
    except Exception as error:  # noqa: BLE001 - whatever breaks is what is looked for
        return Judged(tried, "broke", text, f"{type(error).__name__}: {error}"[:2000])
    if fresh:
        grave = any(severity == "error" for severity, _, _ in fresh)
        return Judged(tried, "error" if grave else "warning", text, "; ".join(f"{code} {message}" for _, code, message in fresh))
    return Judged(tried, "missed" if tried.slip.wrong else "sound", text)


def _found(group: Group, name: str, text: str) -> Problems:
    """What is said now that was not said before: of the file, and where there is no error in it, of those around it too."""
    alone = load_flows([Source(f"{name}.yaml", text)], {other: flow for other, flow in group.flows.items() if other != name})
    if alone[0].flow is None:
        return _said(alone[0]) - group.said[name]
    loaded = load_flows([Source(f"{one}.yaml", text if one == name else spelt(group.documents[one])) for one in group.documents])
    flows = [one.flow for one in loaded if one.flow is not None]
    if len(flows) == len(loaded):
        checked_drafts(loaded)
        asyncio.run(_talk(flows, alone[0].flow.flow, text))
    return sum((_said(one) - group.said[other] for other, one in zip(group.documents, loaded, strict=True)), Counter())


async def _talk(flows: list[Flow], intent: str, text: str) -> None:
    clock = ManualClock()
    world = World("memory", MemoryStore(clock), MemoryRegistry(), clock, StoredRuns())
    known = await world.publish(flows)
    if known < len(flows):
        raise Differed(f"of {len(flows)} flows that were published {known} can be triggered")
    await Meeting([world], text, [intent], text).hold(_TURNS)


def _group(documents: dict[str, Written]) -> Group:
    loaded = load_flows([Source(f"{name}.yaml", spelt(document)) for name, document in documents.items()])
    flows = {one.flow.flow: one.flow for one in loaded if one.flow is not None}
    return Group(documents, flows, {name: _said(one) for name, one in zip(documents, loaded, strict=True)})


def _read(folder: Path) -> dict[str, Written]:
    files = sorted(path for path in folder.glob("*.yaml") if not path.name.endswith(".test.yaml"))
    roots = [read_yaml(Source(path.name, path.read_bytes())).root for path in files]
    documents: list[Any] = [plain(root) for root in roots if root is not None]
    return {document["flow"]: document for document in documents}


def _said(loaded: Loaded) -> Problems:
    return Counter((problem.severity, problem.code, problem.message) for problem in loaded.diagnostics)
