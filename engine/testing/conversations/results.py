"""What came of a test, and how a person reads it."""

from collections.abc import Iterator
from typing import ClassVar, Final

from msgspec import Struct

from engine.model.effects import Visit

_TRANSCRIPT: Final = 30
"""Lines of the conversation that a failure repeats."""


class Line(Struct, frozen=True):
    """One line of a transcript: who, and what."""

    who: str
    what: str

    def __str__(self) -> str:
        first, *rest = self.what.splitlines() or [""]
        return "\n".join([f"{self.who:<6}{first}", *(f"{'':<6}{line}" for line in rest)])


class Passed(Struct, frozen=True):
    """The conversation went as the test says."""


class Failed(Struct, frozen=True):
    """It did not; the first thing that went otherwise is told."""

    message: str
    line: int
    step: int | None = None
    """Counted from 1; None where it concerns the whole test."""
    key: str = ""
    """The key the step is written with."""
    difference: tuple[str, ...] = ()
    """Lines that begin with `- ` for what was expected, `+ ` for what was said, two blanks for both."""
    transcript: tuple[Line, ...] = ()
    """The conversation so far."""


Outcome = Passed | Failed


class TestResult(Struct, frozen=True):
    """One test's outcome, the seconds it took, and the way its runs went."""

    __test__: ClassVar[bool] = False  # pytest collects classes of this name
    file: str
    flow: str
    name: str
    line: int
    outcome: Outcome
    seconds: float
    visits: tuple[Visit, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the conversation went as the test says."""
        return isinstance(self.outcome, Passed)


def describe(result: TestResult) -> str:
    """The result for a terminal: one line where it passed, else what was said against what was expected."""
    match result.outcome:
        case Passed():
            return f"{result.file}:{result.line}: passed: {result.name}"
        case Failed() as failed:
            return "\n".join([f"{result.file}:{failed.line}: failed: {result.name}", *(f"  {line}".rstrip() for line in told(failed))])


def told(failed: Failed) -> Iterator[str]:
    """The failure, line by line, without its place."""
    where = "" if failed.step is None else f"step {failed.step} ({failed.key}): "
    yield f"{where}{failed.message}"
    for line in failed.difference:
        yield f"  {line}"
    if failed.transcript:
        yield "the conversation so far:"
    if len(failed.transcript) > _TRANSCRIPT:
        yield "  ..."
    for said in failed.transcript[-_TRANSCRIPT:]:
        yield from (f"  {line}" for line in str(said).splitlines())
