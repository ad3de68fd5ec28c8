"""The sides of the comparison as a client sees them: pings of a route that stores nothing, and talks whose every answer is checked."""

from typing import Final

from api.asked import NOWHERE
from scripts.benchmarks.subject import FLOW, MOST_TURNS, words
from scripts.benchmarks.wire import Connection, Once, WrongAnswer, post, text_after

_CHAT: Final = "/api/public/v1/chat"
_TRIGGER: Final = b'{"text":"Let us go","intentName":"%b"}' % FLOW.encode()
_ANSWER: Final = b'{"executionId":"%b","waitToken":"%b","values":{"word":"%b"}}'


class Talk:
    """One customer with a session of its own, who answers each question as soon as it is asked.

    A run near its bound of turns is left as it waits and another one triggered, so that one turn of 490 is a trigger.
    """

    def __init__(self, session_token: bytes) -> None:
        self._session = session_token
        self._turns = 0
        self._run = self._wait = b""
        self._words = words()

    def request(self) -> bytes:
        """The answer to the open question, or a trigger where there is none."""
        if not 0 < self._turns < MOST_TURNS:
            self._turns = 0
            return post(f"{_CHAT}/messages", _TRIGGER, self._session)
        body = _ANSWER % (self._run, self._wait, next(self._words).encode())
        return post(f"{_CHAT}/messages", body, self._session)

    def take(self, answer: bytes) -> None:
        """Keep the new wait token; raises WrongAnswer when there is none, or the old one again."""
        wait = text_after(answer, b'"waitToken":"')
        if wait == self._wait:
            raise WrongAnswer("the same wait token came twice")
        if not self._turns:
            self._run = text_after(answer, b'"executionId":"')
        self._wait = wait
        self._turns += 1


class Ping:
    """A route that stores nothing, asked with the headers of a turn and a body like a turn's."""

    def __init__(self, path: str, session_token: bytes) -> None:
        body = _ANSWER % (NOWHERE.encode(), b"wt_" + b"x" * 44, b"straight")
        self._request = post(path, body, session_token)

    def request(self) -> bytes:
        """The same each time."""
        return self._request

    def take(self, answer: bytes) -> None:
        """Its status was looked at, and there is nothing else to check."""


async def open_session(connection: Connection, public_key: str) -> bytes:
    """The token of a new session."""
    once = Once(post(f"{_CHAT}/sessions", b'{"publicKey":"%b"}' % public_key.encode()))
    await connection.repeat(once, 0)
    return text_after(once.answer, b'"sessionToken":"')
