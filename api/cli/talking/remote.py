"""A running server, spoken to over its chat surface."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final

import click
import httpx

from api.cli.talking.intents import Examples, beginning
from api.cli.talking.partner import ENGLISH, Answer, AnswerWrong, MovedOn, Said, ShownBlock, Wrong, field_of
from engine.model.values import Json

_SURFACE: Final = "/api/public/v1/chat"
_POLL: Final = 25
_PATIENCE: Final = httpx.Timeout(10.0, read=70.0)
_AGAIN: Final = 1.0
_CONFLICT, _UNFIT, _REFUSED = 409, 422, 400


class RemotePartner:
    """Talks to a server with one session."""

    def __init__(self, client: httpx.AsyncClient, session: dict[str, Any], locale: str | None) -> None:
        self._client = client
        self._headers = {"Authorization": f"Bearer {session['sessionToken']}"}
        self._locale = locale or ENGLISH
        self._examples: Examples = {intent["name"]: intent["examples"] for intent in session["intents"]}
        self._flows: dict[str, str] = {question["intentName"]: question["flowId"] for question in session["quickQuestions"]}
        """The flows of intents that have examples; of others a session does not tell more than the intent's name, the same as a rule."""
        self._flow = ""

    async def trigger(self, intent: str, text: str | None, context: dict[str, Json]) -> tuple[str, Said]:
        """See Partner."""
        begin = beginning(intent, text, self._examples)
        self._flow = self._flows.get(begin.intent, begin.intent)
        body = {"text": begin.text, "intentName": begin.intent, **({"context": context} if context else {})}
        return begin.text, self._said(_body(await self._post(body)))

    async def answer(self, said: Said, answer: Answer) -> Said:
        """See Partner."""
        body = {"waitToken": said.token, "executionId": said.run_id, "values" if isinstance(answer, dict) else "text": answer}
        response = await self._post(body)
        told = _json(response)
        match response.status_code, told.get("details"):
            case 422, {"errors": list() as errors}:
                raise AnswerWrong([Wrong(field_of(error["field"]), error["message"]) for error in errors])
            case 409, {"current": dict() as current}:
                raise MovedOn(self._said({"reply": current}))
            case 410, _:
                now = await _sent(self._client.get(f"{_SURFACE}/executions/{said.run_id}", headers=self._headers))
                raise MovedOn(self._said(_body(now)))
            case _:
                return self._said(_body(response))

    async def changed(self, said: Said) -> Said:
        """See Partner."""
        known: str | None = None
        while True:
            query = {} if known is None else {"wait": _POLL}
            headers = self._headers if known is None else {**self._headers, "If-None-Match": known}
            response = await _sent(self._client.get(f"{_SURFACE}/executions/{said.run_id}", params=query, headers=headers))
            if response.status_code == httpx.codes.NOT_MODIFIED:
                continue
            now = self._said(_body(response))
            if (now.turn_id, now.status) != (said.turn_id, said.status):
                return now
            known = response.headers.get("etag")
            if known is None:
                await asyncio.sleep(_AGAIN)

    async def _post(self, body: dict[str, Any]) -> httpx.Response:
        return await _sent(self._client.post(f"{_SURFACE}/messages", json=body, headers=self._headers))

    def _said(self, answer: dict[str, Any]) -> Said:
        reply = answer["reply"]
        expected = reply["expectedInput"]
        if expected is not None:
            expected = {**expected, "attempts_left": expected.get("attemptsLeft")}
        deadline = reply["waitExpiresAt"]
        return Said(
            run_id=reply["executionId"],
            flow=self._flow,
            turn_id=reply["turnId"],
            status=reply["status"],
            blocks=tuple(ShownBlock(block["id"], block["type"], block["payload"]) for block in reply["blocks"]),
            expected=expected,
            token=reply["waitToken"],
            deadline=None if deadline is None else round(datetime.fromisoformat(deadline).timestamp() * 1000),
            end_reason=reply["endReason"],
            locale=self._locale,
            failure=reply["endCode"],
        )


@asynccontextmanager
async def remote_partner(server: str, key: str, locale: str | None) -> AsyncIterator[RemotePartner]:
    """A partner with a session of that server."""
    async with httpx.AsyncClient(base_url=server.rstrip("/"), timeout=_PATIENCE) as client:
        asked = {"publicKey": key, **({"locale": locale} if locale else {})}
        yield RemotePartner(client, _body(await _sent(client.post(f"{_SURFACE}/sessions", json=asked))), locale)


async def _sent(request: Any) -> httpx.Response:
    try:
        response: httpx.Response = await request
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise click.ClickException(f"The server cannot be reached: {str(error).rstrip('.') or type(error).__name__}.") from error
    return response


def _json(response: httpx.Response) -> dict[str, Any]:
    try:
        told = response.json()
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise click.ClickException(f"The server's answer is not Baton's: HTTP {response.status_code}.")
    return told


def _body(response: httpx.Response) -> dict[str, Any]:
    told = _json(response)
    if response.status_code >= _REFUSED:
        raise click.ClickException(f"The server refused: {_reason(told) or response.status_code}")
    return told


def _reason(told: dict[str, Any]) -> str:
    """What is wrong with each part of the request; the refusal's own words where no parts are told."""
    match told.get("details"):
        case {"errors": [_, *_] as errors}:
            return "; ".join(f"{error['field']}: {error['message']}" for error in errors)
        case _:
            return str(told.get("message", ""))
