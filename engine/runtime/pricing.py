"""What tokens cost. A price is US dollars per million tokens, which is micro-dollars per token."""

from decimal import ROUND_HALF_UP, Decimal

from engine.runtime.requests import TokenUsage
from engine.runtime.store.registry import PriceRow


def cost_micros(usage: TokenUsage, price: PriceRow) -> int:
    """Micro-dollars for one usage row, exact in decimal, rounded half up once.

    Cached prompt tokens are part of the prompt; they cost their own price, or the input price where the row has none.
    """
    cached = usage.cached_prompt_tokens or 0
    fresh = usage.prompt_tokens - cached
    cached_price = price.input if price.cached_input is None else price.cached_input
    exact = fresh * Decimal(price.input) + cached * Decimal(cached_price) + usage.completion_tokens * Decimal(price.output)
    return int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))
