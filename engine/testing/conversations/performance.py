"""One performance of a test: its scene, the runs it has started, and the conversation so far."""

from msgspec import Struct

from engine.model.run import ENDED
from engine.runtime.replies import ReplyBlock, TurnReply
from engine.testing.conversations.comparing import Mismatch, drawn
from engine.testing.conversations.results import Line
from engine.testing.conversations.scene import Scene


class Watched(Struct):
    """A run that the test has started, and how much of it the steps have looked at."""

    reply: TurnReply
    """Its newest turn's."""
    unnamed: list[list[ReplyBlock]] = []
    """Blocks that no step has named yet, by the turns that said them."""
    covered: bool = False
    """Whether `any` was the last to be named: what is left then need not be."""
    walked: int = 0
    """Visits that a `path` has named."""
    sent: int = 0
    """Requests that a `sent` has named."""
    emitted: int = 0
    """Events that an `emitted` has named."""
    waits: dict[tuple[str, str], str] = {}
    """The newest wait of each node, by its flow and its id."""

    @property
    def id(self) -> str:
        """The run's id."""
        return self.reply.execution_id

    def answer_names(self) -> list[str]:
        """The names that an answer may have; none where no answer is expected."""
        told = self.reply.expected_input
        return [] if told is None else list(told["schema"].get("properties", {}))

    def skip_turn(self) -> None:
        """Whatever else the turn said is as it should be."""
        del self.unnamed[:1]
        self.covered = True

    def next_block(self) -> ReplyBlock | None:
        """The next block that no step has named; None where there is none."""
        return self.unnamed[0][0] if self.unnamed else None

    def name_block(self) -> None:
        """The next block was named."""
        del self.unnamed[0][0]
        self.unnamed = [blocks for blocks in self.unnamed if blocks]
        self.covered = False

    def demand_named(self) -> None:
        """Every block that was said must have been named."""
        if self.unnamed and not self.covered:
            more = [f"+ {line}" for blocks in self.unnamed for block in blocks for line in drawn(block).splitlines() or [""]]
            raise Mismatch("more was said than the test names", more)
        self.unnamed, self.covered = [], False


class Performance:
    """What a test has done so far, and what came of it."""

    def __init__(self, scene: Scene, flow: str) -> None:
        self.scene = scene
        self.flow = flow
        self.runs: list[Watched] = []
        self.turns: list[TurnReply] = []
        """Everything that the engine answered, in order."""
        self.transcript: list[Line] = []
        self._current = 0

    @property
    def run(self) -> Watched:
        """The run that the steps concern."""
        if not self.runs:
            raise Mismatch("no run has been started: a test begins with `trigger`")
        return self.runs[self._current]

    def choose(self, number: int) -> None:
        """From now on the steps concern the run of this number."""
        if number > len(self.runs):
            raise Mismatch(f"there is no run {number}: the test has started {len(self.runs)}")
        self._current = number - 1

    async def began(self, reply: TurnReply) -> None:
        """A run was started, and the steps concern it."""
        self._current = len(self.runs)
        self.runs.append(Watched(reply))
        await self.went_on(reply)

    async def went_on(self, reply: TurnReply) -> None:
        """A turn came of a step."""
        number, run = next((number, run) for number, run in enumerate(self.runs, 1) if run.id == reply.execution_id)
        run.reply = reply
        if reply.wait_id is not None and reply.flow is not None and reply.node is not None:
            run.waits[reply.flow, reply.node] = reply.wait_id
        run.unnamed += [[*reply.blocks]] if reply.blocks else []
        self.turns.append(reply)
        for block in reply.blocks:
            self.note("bot" if len(self.runs) == 1 else f"bot {number}", drawn(block))
        if reply.status in ENDED:
            why = (await self.scene.run(run.id)).failure or reply.end_reason
            self.note("", f"({reply.status})" if why == reply.status else f"({reply.status}: {why})")

    async def catch_up(self) -> None:
        """Every run may have gone on by itself, or because of another."""
        for run in self.runs if self.scene.count_turns() > len(self.turns) else ():
            for reply in await self.scene.turns_after(run.id, run.reply.rev):
                await self.went_on(reply)

    def note(self, who: str, what: str) -> None:
        """A line of the transcript."""
        self.transcript.append(Line(who, what))

    def demand_all_named(self) -> None:
        """Every block of every run must have been named."""
        for run in self.runs:
            run.demand_named()
