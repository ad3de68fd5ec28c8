"""How many slips of each kind `check` finds, as a table."""

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable

from tests.generated.judging import Judged, groups, judge, tries

_ABOUT = """Makes one slip at a time in flows that are right (those of flows/, of tests/language/, and generated ones), and tells
how many of each kind `check` finds. `error` and `warning`: found. `sound`: not found, and nothing to find, for the flow may be
right: another node may be meant, or a key with a default was left out. `missed`: wrong for certain, and let pass. `broke`:
check, publishing or a run crashed. `wrong` is the share found of the slips that are wrong for certain, `all` the share found
of all. Exit status 1 when one was missed or broke."""


def table(judged: Iterable[Judged]) -> str:
    """A line for each kind, and one for all."""
    counted: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for one in judged:
        for kind in (one.tried.slip.kind, "~ all"):
            counted[kind][one.verdict] += 1
            counted[kind]["wrong"] += one.tried.slip.wrong
            counted[kind]["wrong found"] += one.tried.slip.wrong and one.verdict in ("error", "warning")
    head = ("kind", "slips", "error", "warning", "sound", "missed", "broke", "wrong", "all")
    lines = ["{:28} {:>6} {:>6} {:>8} {:>6} {:>7} {:>6} {:>7} {:>7}".format(*head)]
    for kind, counts in sorted(counted.items()):
        verdicts = [counts[name] for name in ("error", "warning", "sound", "missed", "broke")]
        cells = "{:28} {:>6} {:>6} {:>8} {:>6} {:>7} {:>6} ".format(kind.removeprefix("~ "), sum(verdicts), *verdicts)
        lines.append(f"{cells}{_share(counts['wrong found'], counts['wrong'])} {_share(verdicts[0] + verdicts[1], sum(verdicts))}")
    return "\n".join(lines)


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:6.1f}%" if whole else "      -"


def main() -> int:
    """The program."""
    parser = argparse.ArgumentParser(prog="mutations", description=_ABOUT)
    parser.add_argument("--families", type=int, default=20, help="generated families of five flows (default: 20)")
    parser.add_argument("--most", type=int, default=100, help="slips of each kind (default: 100; 0: all that there are)")
    parser.add_argument("--kind", help="slips of this kind alone")
    parser.add_argument("--show", choices=("missed", "broke", "sound"), action="append", default=[], help="list those too")
    asked = parser.parse_args()
    found = groups(asked.families)
    chosen = [one for one in tries(found, asked.most or None) if asked.kind in (None, one.slip.kind)]
    judged = [judge(found[one.group], one) for one in chosen]
    for one in judged:
        if one.verdict in asked.show:
            print(one)  # noqa: T201 - the program's answer
    print(table(judged))  # noqa: T201 - the same
    return int(any(one.verdict in ("missed", "broke") for one in judged))


if __name__ == "__main__":
    sys.exit(main())
