"""Query parameters and the Prefer header: read leniently, with a problem for each value that is out of range."""

from collections.abc import Collection, Mapping

from api.asked import Asked
from api.foreign import unclean_texts
from engine.errors import Unfit
from engine.model.problems import Problem

_LONGEST_PREFERRED_WAIT = 60


def whole_number(asked: Asked, query: Mapping[str, str], name: str, default: int, bounds: tuple[int, int]) -> int:
    """A number within bounds; the default, with a problem noted, for anything else."""
    given = query.get(name)
    if given is None:
        return default
    number = _number(given)
    if number is None or not bounds[0] <= number <= bounds[1]:
        asked.unfit.append(Problem(f"/{name}", "range", f"{name} must be a whole number from {bounds[0]} to {bounds[1]}."))
        return default
    return number


def truth(asked: Asked, query: Mapping[str, str], name: str) -> bool:
    """`true` or `false`, which is the default."""
    match query.get(name):
        case None | "false":
            return False
        case "true":
            return True
        case _:
            asked.unfit.append(Problem(f"/{name}", "choice", f"{name} must be true or false."))
            return False


def one_of(asked: Asked, query: Mapping[str, str], name: str, choices: Collection[str]) -> str | None:
    """One of the choices; None where the parameter is absent."""
    given = query.get(name)
    if given is None or given in choices:
        return given
    asked.unfit.append(Problem(f"/{name}", "choice", f"{name} must be one of {', '.join(choices)}."))
    return None


def demand_fit(asked: Asked, query: dict[str, str]) -> None:
    """Refuse the request with all that was found wrong with it so far, and with its query's texts."""
    problems = [*asked.unfit, *unclean_texts(query)]
    if problems:
        raise Unfit(problems)


def preferred_wait(asked: Asked, default: float) -> float:
    """Seconds from `Prefer: wait=0..60`; other preferences are nobody's concern here."""
    for part in (asked.header(b"prefer") or "").split(","):
        name, _, value = part.strip().partition("=")
        if name.strip().lower() == "wait":
            return _wait(asked, value.strip().strip('"'), default)
    return default


def _wait(asked: Asked, value: str, default: float) -> float:
    number = _number(value)
    if number is None or number > _LONGEST_PREFERRED_WAIT:
        asked.unfit.append(Problem("/Prefer", "range", "Prefer: wait must be a whole number of seconds from 0 to 60."))
        return default
    return float(number)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else None  # noqa: PLR2004 - nine digits stay small
