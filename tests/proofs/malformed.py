"""Flow files that are wrong, written and made by slips of the hand, and expressions that hurt: refused with their place and their reason.

Run as a program in a process of its own, whose memory then tells what they have taken.
"""

import gc
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from engine.errors import ExpressionError
from engine.expressions import compile_template
from engine.loading import CODES, Loaded, Source, load_flow
from tests.expressions.attacks import EXPRESSIONS, UNDEFINED, hostile_scope
from tests.loading.hostile import HEAD, WRITTEN
from tests.support.memory import peak_kib
from tests.support.pace import pace

LONGEST: Final = 0.25
MOST_MIB: Final = 64
_ROOT: Final = Path(__file__).resolve().parents[2]
_PIECES: Final = (
    *("{{", "}}", "[", "]", "{", "}", ":", "- ", "&a ", "*a", "!!int "),
    *("'", '"', "|\n", "\t", "<<: ", "null", "\ud800", "end", "5", "\0"),
)
_FORMS: Final = (
    "{a}",
    "[1, ({a})]",
    "({a}) if true else 1",
    "({a})|string",
    "({a}) == ({b})",
    "[({a}), ({b})]",
    "'x'|replace('x', ({a})|string)",
    "(({a})) ~ 'x'",
    "not ({a})",
    "[({a})]|first",
)


class Judged(Struct, frozen=True):
    """What came of so many of one kind."""

    kind: str
    count: int
    slowest: float
    """Seconds of processor time."""
    mebibytes: float
    """By which the process has grown beyond all that it had taken before."""
    wrong: list[str]
    """Those that were taken, or refused without a place and a reason, or took too long."""

    @property
    def sound(self) -> bool:
        """Whether everything is as it was promised."""
        return not self.wrong and self.mebibytes < MOST_MIB

    def line(self) -> str:
        """The figures for people."""
        return (
            f"{self.count} {self.kind}: {len(self.wrong)} not refused with place and reason in time; the slowest took "
            f"{1000 * self.slowest:.0f} ms, all of them {self.mebibytes:.0f} MiB"
        )


def files(seed: int, *, written: bool) -> Iterator[str | bytes]:
    """All that were written, and then slips in flows that are right, without end; some of either leave a flow that is right."""
    chance = random.Random(seed)  # noqa: S311 - the same slips each time
    if written:
        yield from WRITTEN
        yield from (path.read_text(encoding="utf-8") for path in sorted((_ROOT / "tests" / "loading" / "broken").glob("*.yaml")))
    sound = [text for text in _flows() if load_flow(Source("sound.yaml", text)).flow is not None]
    while True:
        yield _slip(chance.choice(sound), chance)


def hostile(count: int, seed: int = 23) -> Iterator[tuple[str, str]]:
    """Expressions that hurt, alone and inside of others, with the code of what hurts."""
    chance = random.Random(seed)  # noqa: S311 - the same each time
    alone = [(f"{{{{ {attack} }}}}", code) for attack, code in EXPRESSIONS]
    yield from alone[:count]
    seen = {text for text, _ in alone}
    while len(seen) < count:
        (attack, code), (other, _) = chance.choice(EXPRESSIONS), chance.choice(EXPRESSIONS)
        text = f"{{{{ {chance.choice(_FORMS).replace('{a}', attack).replace('{b}', other)} }}}}"
        if text not in seen:
            seen.add(text)
            yield text, code


def judge_files(count: int, *, written: bool) -> Judged:
    """Load files until so many were wrong."""

    def judge(text: str | bytes) -> list[str] | None:
        loaded = load_flow(Source("malformed.yaml", text))
        if loaded.flow is not None:
            return None
        return [] if _is_refused(loaded) else [f"{text[:200]!r}: {loaded.diagnostics[:3]}"]

    return _judged("malformed files", count, files(19, written=written), judge)


def judge_expressions(count: int) -> Judged:
    """Load a flow with each of them, and evaluate those that load."""
    return _judged("hostile expressions", count, hostile(count), _survives)


def _judged(kind: str, count: int, cases: Iterator[Any], judge: Callable[[Any], list[str] | None]) -> Judged:
    """The first so many that count; those of which nothing can be said do not."""
    found, slowest, judged, before = list[str](), 0.0, 0, peak_kib()
    for case in cases:
        begun = time.process_time()
        wrong = judge(case)
        took = time.process_time() - begun
        if wrong is None:
            continue
        if took > LONGEST:
            took = min(took, *(_seconds(partial(judge, case)) for _ in range(2)))
            wrong += [f"{took:.3f} s: {str(case)[:200]}"] if took > LONGEST * pace() else []
        found, slowest, judged = found + wrong, max(slowest, took), judged + 1
        if judged == count:
            break
    return Judged(kind, judged, slowest, (peak_kib() - before) / 1024, found)


def _seconds(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


def _is_refused(loaded: Loaded) -> bool:
    errors = [one for one in loaded.diagnostics if one.severity == "error"]
    placed = all(one.line >= 1 and one.column >= 1 and one.code in CODES and one.message for one in loaded.diagnostics)
    return loaded.flow is None and bool(errors) and placed


def _survives(case: tuple[str, str]) -> list[str]:
    text, code = case
    loaded = load_flow(Source("hostile.yaml", f"{HEAD}  a: {{type: end, result: {{x: {json.dumps(text, ensure_ascii=False)}}}}}\n"))
    if loaded.flow is None:
        return [] if _is_refused(loaded) and loaded.diagnostics[0].line > 1 else [f"{text[:200]}: {loaded.diagnostics}"]
    scope = hostile_scope()
    try:
        compile_template(text).value(scope)
    except ExpressionError as error:
        return [] if error.code and str(error) else [f"{text[:200]}: no reason"]
    return [] if code == UNDEFINED and scope.warnings else [f"{text[:200]}: gives a value"]


def _flows() -> Iterator[str]:
    yield (_ROOT / "tests" / "loading" / "valid" / "everything.yaml").read_text(encoding="utf-8")
    for path in sorted((_ROOT / "flows").glob("*.yaml")):
        if not path.name.endswith(".test.yaml"):
            yield path.read_text(encoding="utf-8")


def _slip(text: str, chance: random.Random) -> str | bytes:
    """The text with one slip: cut, flipped, put in, a line gone, twice, moved or set in otherwise, a word gone."""
    lines, place = text.splitlines(keepends=True), chance.randrange(len(text))
    line = chance.randrange(len(lines))
    match chance.randrange(8):
        case 0:
            return text[:place]
        case 1:
            raw = bytearray(text.encode())
            raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
            return bytes(raw)
        case 2:
            return text[:place] + chance.choice(_PIECES) + text[place:]
        case 3:
            return "".join(lines[:line] + lines[line + 1 :])
        case 4:
            return "".join(lines[: line + 1] + lines[line:])
        case 5:
            return "".join(lines[:line] + lines[line + 1 :] + [lines[line]])
        case 6:
            return "".join([*lines[:line], " " * chance.choice((1, 2, 3)) + lines[line], *lines[line + 1 :]])
        case _:
            words = text.split(" ")
            gone = chance.randrange(len(words))
            return " ".join(words[:gone] + words[gone + 1 :])


def judged(count: int, *, written: bool) -> list[Judged]:
    """So many of each kind, judged in a process of its own."""
    program = [sys.executable, "-m", "tests.proofs.malformed", str(count), str(int(written))]
    told = subprocess.run(program, cwd=_ROOT, stdout=subprocess.PIPE, check=True).stdout
    return msgspec.json.decode(told, type=list[Judged])


def main() -> None:
    """Judge so many of each kind, and say what came of it."""
    count, written = int(sys.argv[1]), sys.argv[2] == "1"
    compile_template("{{ now|date('short') }} {{ 1|money('EUR') }}").value(hostile_scope())
    gc.collect()
    gc.freeze()  # as a server does: what the program is made of is not looked through while it is timed
    found = [judge_expressions(count), judge_files(count, written=written)]  # the files take more
    sys.stdout.buffer.write(msgspec.json.encode(found))


if __name__ == "__main__":
    main()
