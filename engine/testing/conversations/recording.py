"""Records stubs: requests that a test has no stub for are made once, and the answers written into the test's file."""

import base64
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from urllib.parse import quote

import msgspec
from msgspec import UNSET, Struct
from msgspec.structs import replace

from engine.loading import Source
from engine.model.events import Returned
from engine.model.flow import Flow, called_by
from engine.runtime.callbacks import Callbacks
from engine.runtime.catalog import Catalog
from engine.runtime.connections import Terms, put_connection
from engine.runtime.outbound.port import Outbound
from engine.runtime.performing import Call
from engine.runtime.requesting import HttpPerformer
from engine.runtime.tokens import Keyring
from engine.runtime.vault import Vault
from engine.testing.conversations.comparing import Mismatch
from engine.testing.conversations.inserting import CannotInsert, with_stubs
from engine.testing.conversations.memories import SeededRuns
from engine.testing.conversations.performance import Performance
from engine.testing.conversations.reading import load_tests
from engine.testing.conversations.results import Failed, Outcome
from engine.testing.conversations.running import Flows, perform_tests, play
from engine.testing.conversations.scene import TENANT, Scene, Stage
from engine.testing.conversations.script import START, ConversationTest, TestFile
from engine.testing.conversations.stubs import Stub, Trouble
from engine.testing.memory import MemoryRegistry

_TROUBLES: Final[Mapping[str, Trouble]] = {"http.timeout": "timeout", "http.refused": "refused", "http.dns": "dns"}
_READ: Final = re.compile(r"headers\b")
_LEAST_SECRET: Final = 4
"""Characters of a secret that is looked for: shorter ones stand everywhere."""


class World(Struct, frozen=True):
    """What is asked: a way out, and the connections of the tenant with their secrets."""

    outbound: Outbound
    connections: Mapping[str, Terms]

    def secrets(self) -> Iterator[tuple[str, str]]:
        """Each connection's name with its secret, as it and as others might write it."""
        for name, terms in self.connections.items():
            coded = base64.b64encode(terms.secret.encode()).decode()
            for secret in {terms.secret, *terms.secret.split(":", 1), coded, coded.rstrip("="), quote(terms.secret, safe="")}:
                if len(secret) >= _LEAST_SECRET:
                    yield name, secret


class Recorded(Struct, frozen=True):
    """What became of one test that made requests: how many stubs of which nodes were written, or why none was; lines are the new text's."""

    name: str
    line: int
    stubs: Mapping[str, int]
    failed: Failed | None = None


class Recording(Struct, frozen=True):
    """The file's new text, and what became of its tests; those that had all their stubs are not named."""

    text: str
    tests: tuple[Recorded, ...]


async def record_tests(source: Source, test_file: TestFile, flows: Flows, world: World, only: str | None = None) -> Recording:
    """Play the tests, asking the world for what they have no stubs for.

    A test's stubs are in the text only where the test passes with them. Requests are really made, and each of them once.
    """
    before = text = source.text if isinstance(source.text, str) else source.text.decode("utf-8-sig")
    tested = flows.get(test_file.flow)
    if tested is None:
        return Recording(text, ())
    stage = await Stage.of(tested, called_by(tested, {name: known for name, known in flows.items() if known is not None}))
    recorded: list[Recorded] = []
    for number, test in enumerate(test_file.tests):
        if only is None or only.casefold() in test.name.casefold():
            asking = await _Asking.of(world, stage.flows)
            outcome = await _performed(stage, test, asking)
            if asking.asked:
                above = text.count("\n") - before.count("\n")
                text, one = await _kept(source.name, text, number, flows, (test, asking, outcome))
                recorded.append(_moved(one, test, above))
    return Recording(text, tuple(recorded))


def _moved(one: Recorded, test: ConversationTest, lines: int) -> Recorded:
    """The same, where so many lines were put in above the test; what failed lies where its step does, without the test's own stubs."""
    failed = one.failed
    if failed is not None:
        place = test.line if failed.step is None else test.steps[failed.step - 1].line
        failed = replace(failed, line=place + lines)
    return replace(one, line=one.line + lines, failed=failed)


async def _performed(stage: Stage, test: ConversationTest, asking: "_Asking") -> Outcome:
    scene = Scene(stage, test.given, SeededRuns(test.given.seed), test.stubs, unstubbed=asking)
    return await play(Performance(scene, stage.tested.flow), test)


async def _kept(
    name: str, text: str, number: int, flows: Flows, played: tuple[ConversationTest, "_Asking", Outcome]
) -> tuple[str, Recorded]:
    """The text with the test's stubs, if it passes with them, as JSON or else as they came; otherwise as it was."""
    test, asking, outcome = played
    failed: Failed | None = asking.fault(test) or (outcome if isinstance(outcome, Failed) else None)
    for exact in (False, True) if failed is None else ():
        try:
            changed = with_stubs(text, {number: asking.made(test, exact=exact)})
        except CannotInsert as reason:
            failed = Failed(f"the stubs cannot be written into the file: {reason}", test.line)
            continue
        failed = await _replayed(name, changed, test.name, flows)
        if failed is None:
            return changed, Recorded(test.name, test.line, {node: len(found) for node, found in asking.made(test).items()})
    return text, Recorded(test.name, test.line, {}, failed)


async def _replayed(name: str, text: str, test: str, flows: Flows) -> Failed | None:
    """Why the test does not pass with its stubs; None where it does."""
    read, problems = load_tests(Source(name, text))
    if read is None:
        return Failed(f"the stubs cannot be written into the file: {problems[0]}", 1)
    [result] = await perform_tests(replace(read, tests=tuple(one for one in read.tests if one.name == test)), flows)
    return result.outcome if isinstance(result.outcome, Failed) else None


class _Asking:
    """Asks the world in the place of stubs, and remembers what it said."""

    def __init__(self, performer: HttpPerformer, world: World, flows: Sequence[Flow]) -> None:
        self._performer = performer
        self._world = world
        self._read = msgspec.json.encode(flows).decode().lower()
        self._found: defaultdict[str, list[tuple[Stub, Stub]]] = defaultdict(list)
        self._trouble: str | None = None
        self.asked = 0

    @classmethod
    async def of(cls, world: World, flows: Sequence[Flow]) -> "_Asking":
        registry, vault, keyring = MemoryRegistry(), Vault([bytes(32)]), Keyring([bytes(32)])
        for name, terms in world.connections.items():
            await put_connection(registry, vault, TENANT, name, terms, START)
        catalog = Catalog(registry)
        await catalog.refresh()
        return cls(HttpPerformer(world.outbound, catalog, vault, Callbacks(keyring, "https://baton.invalid")), world, flows)

    async def __call__(self, call: Call, names: Sequence[str]) -> Stub:
        """One try of the node's request, really made."""
        self.asked += 1
        once = replace(call.invoke, request=replace(call.invoke.request, retries=0))
        returned = await self._performer(replace(call, invoke=once))
        if returned.code is not None and returned.code not in _TROUBLES:
            raise Mismatch(f"`{names[0]}` sends a request, and nothing came that could be recorded: {returned.code}: {returned.message}")
        short, exact = self._stub(returned), self._stub(returned, exact=True)
        self._found[names[0]].append((short, exact))
        self._look_for_secrets(names[0], exact)
        return exact

    def _stub(self, returned: Returned, *, exact: bool = False) -> Stub:
        if returned.result is None:
            return Stub(error=_TROUBLES[returned.code or ""])
        result = returned.result
        headers = {name: value for name, value in result["headers"].items() if self._reads(name)}
        if isinstance(result["json"], dict | list) and not exact:
            return Stub(status=result["status"], headers=headers, json=result["json"])
        return Stub(status=result["status"], headers=headers, text=result["text"] or None, json=UNSET)

    def _reads(self, header: str) -> bool:
        """Whether some flow reads a header of this name."""
        return header in self._read and _READ.search(self._read) is not None

    def _look_for_secrets(self, node: str, stub: Stub) -> None:
        text = msgspec.json.encode([stub.text, stub.headers]).decode()
        for name, secret in self._world.secrets():
            if secret in text or secret in (stub.text or ""):
                self._trouble = f"the answer for `{node}` holds the secret of the connection `{name}`: nothing was written"

    def fault(self, test: ConversationTest) -> Failed | None:
        """Why nothing of this may be written."""
        return None if self._trouble is None else Failed(self._trouble, test.line)

    def made(self, test: ConversationTest, *, exact: bool = False) -> dict[str, list[Stub]]:
        """The stubs by the names under which the test has others, or else by the whole ones."""
        short = {name.rpartition("/")[2]: name for name in self._found if "/" in name}
        names = {whole: node for node, whole in short.items() if node in test.stubs and whole not in test.stubs}
        return {names.get(name, name): [pair[exact] for pair in found] for name, found in self._found.items()}
