"""POST /sessions: opens a conversation for a public key, or continues the one of an earlier session or of a signed customer."""

from msgspec import Struct, structs

from api.asked import Asked
from api.body import Shape
from api.chat.credentials import SessionDesk, signed_customer
from api.chat.render import reply_out
from api.chat.wire import IconOut, IntentOut, QuickQuestion, SessionAnswer, SessionBody, Widget
from api.fitness import unfit_variables
from api.kept import Kept
from api.offers import Offer, offers
from api.settings import Settings
from api.wire import Answer, json_answer, replayed
from engine.model.problems import Problem
from engine.runtime.moments import moment
from engine.runtime.replies import TurnReply
from engine.runtime.requests import Caller, OpenRequest
from engine.runtime.runtime import Runtime
from engine.runtime.store.registry import PublicKeyRow
from engine.runtime.tokens import Session
from engine.runtime.turns.opening import Opened

_MOST_OPEN_RUNS = 20
_SECRET_KEY = 32
"""Characters of an Idempotency-Key that nobody guesses. Whoever opens a session without a name proves it by nothing else:
a shorter key would hand one stranger's conversation to the next who thinks of it."""


class Scene(Struct, frozen=True):
    """What a session's answer shows, without any token: this is what is kept under an idempotency key."""

    opened: Opened
    widget: Widget
    offers: list[Offer]
    open_runs: list[TurnReply]


class SessionOpening:
    """Opens sessions."""

    def __init__(self, runtime: Runtime, settings: Settings, desk: SessionDesk) -> None:
        self._runtime = runtime
        self._settings = settings
        self._desk = desk
        self._shape = Shape(SessionBody)
        self._kept = Kept(runtime.store, Scene)

    async def open(self, asked: Asked, raw: bytes) -> Answer:
        """The open session; with the header of a replay, where an earlier request under the same idempotency key opened it."""
        body, unfit = self._shape.read(raw)
        earlier = self._desk.renewed(body.session_token, body.public_key)
        key = self._desk.opened_key(asked, body.public_key)
        customer = signed_customer(key, body.customer_id, body.customer_signature)
        request = self._request(asked, raw, body, unfit, key, _continued(earlier, customer), customer)
        opened = await self._runtime.executor.open(key.tenant_id, request)
        scene = await self._scene(key, opened)
        if request.idempotency is not None:
            scene = await self._kept.first(key.tenant_id, request.idempotency, scene)
        return json_answer(self._answer(key, scene), headers=replayed(opened))

    def _request(
        self,
        asked: Asked,
        raw: bytes,
        body: SessionBody,
        unfit: tuple[Problem, ...],
        key: PublicKeyRow,
        continued: Session | None,
        customer: str | None,
    ) -> OpenRequest:
        known = continued.conversation_id if continued else customer
        idempotency = asked.idempotency(f"session:{key.id}:{known or '-'}", raw)
        if known is None and idempotency is not None and len(idempotency.key) < _SECRET_KEY:
            idempotency = None
        variables = body.variables or {}
        return OpenRequest(
            public_key_id=key.id,
            continued=continued.conversation_id if continued else None,
            customer_id=continued.customer_id if continued else customer,
            locale=body.locale or (continued.locale if continued else None),
            variables=variables,
            idempotency=idempotency,
            unfit=(*unfit, *unfit_variables(variables), *asked.unfit),
        )

    async def _scene(self, key: PublicKeyRow, opened: Opened) -> Scene:
        caller = Caller(tenant_id=key.tenant_id, conversation_id=opened.conversation_id, customer_id=opened.customer_id)
        runs = await self._runtime.reader.open_runs(caller, opened.conversation_id, _MOST_OPEN_RUNS)
        shown = offers(self._runtime.catalog, key.tenant_id, key.intents, opened.locale)
        opened = structs.replace(opened, replayed=False)
        return Scene(opened, Widget(label=key.label, accent_color=key.accent_color), shown, runs)

    def _answer(self, key: PublicKeyRow, scene: Scene) -> SessionAnswer:
        opened, keyring = scene.opened, self._runtime.keyring
        session = Session(key.tenant_id, key.id, opened.conversation_id, opened.customer_id, opened.locale, opened.at)
        return SessionAnswer(
            session_token=keyring.session_token(session),
            conversation_id=opened.conversation_id,
            expires_at=moment(opened.at + self._settings.session_seconds * 1000),
            widget=scene.widget,
            intents=[_intent_out(offer) for offer in scene.offers],
            quick_questions=[_question(offer, example) for offer in scene.offers for example in offer.examples],
            open_executions=[reply_out(run, keyring, key.tenant_id, trace=key.expose_trace) for run in scene.open_runs],
        )


def _continued(earlier: Session | None, customer: str | None) -> Session | None:
    """The session that goes on. Somebody else who signs in on the same device does not continue what was said there before."""
    return None if earlier is None or (customer is not None and customer != earlier.customer_id) else earlier


def _intent_out(offer: Offer) -> IntentOut:
    return IntentOut(
        name=offer.name,
        displayLabel=offer.label,
        subtitle=offer.subtitle,
        description=offer.description,
        examples=offer.examples,
        required_entities=offer.required_entities,
        icon=IconOut(kind=offer.icon.kind, value=offer.icon.value) if offer.icon else None,
        accentColor=offer.accent_color,
        styleVariant=offer.style_variant,
        isPinned=offer.pinned,
        priority=offer.priority,
    )


def _question(offer: Offer, example: str) -> QuickQuestion:
    return QuickQuestion(question=example, page_type=None, flow_id=offer.flow, intent_name=offer.name)
