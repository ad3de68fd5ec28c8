"""The author's rules for one answer, checked after its type is known; a bound of 0 is a bound."""

from collections.abc import Iterator
from fractions import Fraction

from engine.interpreter.answers.faults import Fault
from engine.interpreter.answers.moments import Moment, before, is_weekend, moment
from engine.interpreter.answers.patterns import fits
from engine.interpreter.answers.shapes import email_domain, is_https, url_host
from engine.model.inputs import Bound, Validation


def bound(written: Bound | None) -> int | float | None:
    """The number that a wait froze; a text is no number, and so no bound."""
    return None if isinstance(written, str) else written


def text_faults(text: str, rules: Validation) -> Iterator[Fault]:
    """Broken rules about the length, the words and the form of a text; lengths count code points."""
    yield from _between(len(text), rules.min_length, rules.max_length, "min_length", "max_length")
    if rules.word_min is not None or rules.word_max is not None:
        yield from _between(len(text.split()), rules.word_min, rules.word_max, "word_min", "word_max")
    if rules.pattern is not None and not fits(rules.pattern, text):
        yield Fault("pattern")


def email_faults(email: str, rules: Validation) -> Iterator[Fault]:
    """Broken rules about the domain of an address; a subdomain of an allowed one is another domain."""
    allowed = domains(rules.email_allow_domains)
    if allowed is not None and email_domain(email) not in allowed:
        yield Fault("email_allow_domains", allowed)


def url_faults(url: str, rules: Validation) -> Iterator[Fault]:
    """Broken rules about the scheme and host of a web address; an allowed domain allows its subdomains."""
    if rules.url_https_only is True and not is_https(url):
        yield Fault("url_https_only")
    allowed = domains(rules.url_allow_domains)
    if allowed is not None:
        host = url_host(url)
        if not any(host == domain or host.endswith(f".{domain}") for domain in allowed):
            yield Fault("url_allow_domains", allowed)


def domains(written: list[str] | str | None) -> tuple[str, ...] | None:
    """The allowed domains in lower case; a single text is a list of one."""
    if written is None:
        return None
    listed = [written] if isinstance(written, str) else written
    return tuple(domain.lower().lstrip("@").rstrip(".") for domain in listed)


def number_faults(number: float, rules: Validation, *, lowest: float | None = None, highest: float | None = None) -> Iterator[Fault]:
    """Broken bounds and steps of a number; `lowest` and `highest` hold where the author set none."""
    least, most = bound(rules.min), bound(rules.max)
    yield from _between(number, lowest if least is None else least, highest if most is None else most, "min", "max")
    step = bound(rules.step)
    if step is not None and step > 0 and (exact(number) - exact(least or 0)) % exact(step) != 0:
        yield Fault("step", step)


def exact(number: float) -> Fraction:
    """The number as people write it: 0.1 is one tenth, not the binary fraction next to it."""
    return Fraction(number) if isinstance(number, int) else Fraction(repr(number))


def moment_faults(when: Moment, rules: Validation) -> Iterator[Fault]:
    """Broken rules about a date, a time or a date-time."""
    first = moment(rules.date_min) if rules.date_min is not None else None
    last = moment(rules.date_max) if rules.date_max is not None else None
    if first is not None and before(when, first):
        yield Fault("date_min", rules.date_min)
    if last is not None and before(last, when):
        yield Fault("date_max", rules.date_max)
    if rules.date_no_weekends is True and is_weekend(when):
        yield Fault("date_no_weekends")


def count_faults(count: int, rules: Validation) -> Iterator[Fault]:
    """Broken rules about how many options may be picked."""
    yield from _between(count, rules.select_min, rules.select_max, "select_min", "select_max")


def _between(found: float, lowest: Bound | None, highest: Bound | None, low_rule: str, high_rule: str) -> Iterator[Fault]:
    least, most = bound(lowest), bound(highest)
    if least is not None and found < least:
        yield Fault(low_rule, least)
    if most is not None and found > most:
        yield Fault(high_rule, most)
