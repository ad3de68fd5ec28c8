"""The intents that a key may trigger, with their texts in one language, in the order in which they are offered."""

from collections.abc import Collection

from msgspec import Struct

from engine.expressions.locales import localized
from engine.model.flow import Flow, Icon, Intent
from engine.model.run import FlowRef
from engine.model.values import Text
from engine.runtime.catalog import Catalog


class Offer(Struct, frozen=True, kw_only=True):
    """A published intent in one language."""

    name: str
    flow: str
    label: str
    subtitle: str | None
    description: str | None
    examples: list[str]
    required_entities: list[str]
    icon: Icon | None
    accent_color: str | None
    style_variant: str | None
    pinned: bool
    priority: int


def offers(catalog: Catalog, tenant_id: str, allowed: Collection[str] | None, locale: str | None) -> list[Offer]:
    """What is published and allowed (None: all): pinned ones first, then by priority, the highest first, then by label."""
    heads = catalog.intents(tenant_id)
    names = heads.keys() if allowed is None else heads.keys() & set(allowed)
    found = [_offer(name, catalog.written(tenant_id, FlowRef(heads[name].flow, heads[name].version)), locale) for name in names]
    return sorted(found, key=lambda offer: (not offer.pinned, -offer.priority, offer.label, offer.name))


def _offer(name: str, flow: Flow, locale: str | None) -> Offer:
    intent = flow.intent or Intent()

    def told(text: Text | None) -> str | None:
        return None if text is None else localized(text, locale or flow.locale, flow.locale)

    return Offer(
        name=name,
        flow=flow.flow,
        label=told(intent.label) or told(flow.title) or name,
        subtitle=told(intent.subtitle),
        description=told(intent.description) or told(flow.description),
        examples=intent.examples,
        required_entities=intent.required_entities,
        icon=intent.icon,
        accent_color=intent.accent_color,
        style_variant=intent.style_variant,
        pinned=intent.pinned,
        priority=intent.priority,
    )
