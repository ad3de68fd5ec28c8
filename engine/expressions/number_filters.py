"""Filters that make numbers, and those that print numbers, money and moments in the language of the run."""

import re
from datetime import datetime, time
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal, DecimalException, localcontext
from typing import Final

from babel import Locale
from babel.dates import format_date, format_datetime, format_time, tokenize_pattern
from babel.numbers import format_currency, format_decimal, get_currency_precision, is_currency

from engine.expressions.locales import known_locale
from engine.expressions.moments import Moment, localized, moment, shifted
from engine.expressions.scope import Scope
from engine.expressions.values import Missing, bounded, kind, number, whole, words, wrong_type, wrong_value
from engine.model.values import Json

PLACES: Final = 15
FORMAT_LENGTH: Final = 100
_EXACT: Final = Context(prec=80)
_ROUNDING: Final = {"common": ROUND_HALF_UP, "ceil": ROUND_CEILING, "floor": ROUND_FLOOR}
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})(?:[eE][+-]?[0-9]{1,2})?")
_CLDR: Final = frozenset({"short", "medium", "long", "full"})
_ZONED: Final = frozenset({"long", "full"})
_ZONES: Final = frozenset("zZOvVXx")
"""LDML's letters for a zone or an offset."""
_NONE_GIVEN: Final = Missing("the default")


def absolute(_: Scope, value: Json) -> Json:
    """The number without its sign."""
    return abs(number(value))


def rounded(_: Scope, value: Json, places: Json = 0, method: Json = "common") -> Json:
    """The number with so many decimal places; halves go away from zero. With none, an integer. Methods: common, ceil, floor."""
    name = words(method, "The method")
    if name not in _ROUNDING:
        raise wrong_value("`round` goes by common, ceil or floor.")
    kept = whole(places, "The number of places", least=-PLACES, most=PLACES)
    result = _quantized(number(value), kept, _ROUNDING[name])
    return bounded(int(result) if kept <= 0 or type(value) is int else float(result))


def _quantized(value: float, places: int, rounding: str = ROUND_HALF_UP) -> Decimal:
    return Decimal(repr(value)).quantize(Decimal(1).scaleb(-places), rounding=rounding, context=_EXACT)


def integer(_: Scope, value: Json, default: Json = _NONE_GIVEN) -> Json:
    """The whole number that a number or a text gives, cut towards zero; else the default, or without one `expression.value`."""
    found = _parsed(value)
    return _default_or_refuse(value, default) if found is None else int(found)


def floating(_: Scope, value: Json, default: Json = _NONE_GIVEN) -> Json:
    """The number with a fraction that a number or a text gives; else the default, or without one `expression.value`."""
    found = _parsed(value)
    return _default_or_refuse(value, default) if found is None else float(found)


def _parsed(value: Json) -> Decimal | None:
    if isinstance(value, bool):
        return Decimal(value)
    if isinstance(value, int | float):
        return Decimal(repr(bounded(value)))
    if isinstance(value, str) and len(value) <= FORMAT_LENGTH and _NUMBER.fullmatch(value.strip()):
        found = Decimal(value.strip())
        bounded(float(found))
        return found
    return None


def _default_or_refuse(value: Json, default: Json) -> Json:
    """The default, if one was given."""
    if default is _NONE_GIVEN:
        raise wrong_value(f"{kind(value).capitalize()} that is no number cannot become one.")
    return default


def localized_number(scope: Scope, value: Json, places: Json = None) -> Json:
    """The number with the separators of the language; with `places`, exactly so many decimals."""
    amount, locale, pattern = number(value), known_locale(scope.locale), None
    exact = Decimal(repr(amount))
    if places is not None:
        kept = whole(places, "The number of places", least=0, most=PLACES)
        exact = _quantized(amount, kept)
        groups = str(locale.decimal_formats[None].pattern).partition(".")[0]  # not all languages make them of three digits
        pattern = f"{groups}.{'0' * kept}" if kept else groups
    with localcontext(_EXACT):  # Babel calculates in the context it finds
        text = format_decimal(exact, format=pattern, locale=locale, decimal_quantization=False)
    scope.budget.spend_characters(len(text))
    return text


def money(scope: Scope, value: Json, currency: Json) -> Json:
    """An amount in major units (12.5 is twelve euros fifty) with the currency's sign and decimals, as the language writes it."""
    code = words(currency, "A currency")
    if not is_currency(code):
        raise wrong_value("A currency is an ISO 4217 code, such as EUR.")
    amount = _quantized(number(value), get_currency_precision(code))
    with localcontext(_EXACT):
        text = format_currency(amount, code, locale=known_locale(scope.locale))
    scope.budget.spend_characters(len(text))
    return text


def dated(scope: Scope, value: Json, pattern: Json = "medium") -> Json:
    """A date, time or date-time in the language and zone of the run: short, medium, long, full or an LDML pattern such as `EEE d MMM`."""
    text = words(value, "What `date` takes")
    chosen = words(pattern, "A date format")
    found = moment(text)
    if found is None:
        raise wrong_value("`date` takes an ISO 8601 date, time or date-time.")
    if len(chosen) > FORMAT_LENGTH:
        raise wrong_value(f"A date format may have {FORMAT_LENGTH} characters.")
    try:
        made = _formatted(found, chosen, scope)
    except (ValueError, AttributeError, LookupError, OverflowError, DecimalException) as error:
        raise wrong_value("The date format cannot be used with this value.") from error
    scope.budget.spend_characters(len(made))
    return made


def _formatted(value: Moment, pattern: str, scope: Scope) -> str:
    locale = known_locale(scope.locale)
    if isinstance(value, time):
        return _time_of_day(value, pattern, locale)
    if not isinstance(value, datetime) and pattern in _CLDR:
        return format_date(value, format=pattern, locale=locale)
    local = localized(value, scope.timezone)
    return format_datetime(local, format=pattern, tzinfo=local.tzinfo, locale=locale)


def _time_of_day(value: time, pattern: str, locale: Locale) -> str:
    """The time without a zone, for it has none: `long` and `full`, which show one, are `medium`; a pattern that asks for one is refused."""
    if pattern not in _CLDR and any(kind == "field" and field[0] in _ZONES for kind, field in tokenize_pattern(pattern)):
        raise wrong_value("A time of day has no zone.")
    return format_time(value, format="medium" if pattern in _ZONED else pattern, locale=locale)


def added(scope: Scope, value: Json, duration: Json) -> Json:
    """The ISO 8601 text of a moment that much later, or earlier when the duration starts with `-`."""
    made = shifted(words(value, "What `add` takes"), words(duration, "A duration"), scope.timezone)
    scope.budget.spend_characters(len(made))
    return made


def demand_whole(value: Json) -> int:
    """The whole number that `even` and `odd` ask about."""
    if type(value) is int or (type(value) is float and value.is_integer()):
        return int(bounded(value))
    raise wrong_type(f"A whole number is needed here, not {kind(value)}.")
