"""The server's key can be changed: what was made under the one before stays good as long as that is named."""

import itertools
from pathlib import Path

from engine.loading import Source
from engine.runtime.administration import KeyTerms, create_tenant, publish
from engine.runtime.requests import Caller, OpenRequest, ResumeRequest, TriggerRequest
from engine.runtime.runtime import Runtime
from engine.runtime.tokens import Keyring, Session

OLD, NEW = b"o" * 32, b"n" * 32
WAIT = "01890a5d-ac96-774b-bcce-b302099a8057"
SESSION = Session("t", "pk", WAIT, None, None, 0)
FLOW = """\
flow: asking
intent: {label: Ask}
expires_after: 1d
nodes:
  ask: {type: ask, prompt: Who are you?, save: name, next: end}
"""


def test_a_token_of_the_key_before_is_good_until_that_is_taken_away() -> None:
    before = Keyring([OLD])
    wait, session, lease = before.wait_token("t", WAIT), before.session_token(SESSION), before.lease_token("t", "task", 1)
    both = Keyring([NEW, OLD])
    assert (both.wait_id("t", wait), both.session(session), both.lease("t", lease)) == (WAIT, SESSION, ("task", 1))
    alone = Keyring([NEW])
    assert (alone.wait_id("t", wait), alone.session(session), alone.lease("t", lease)) == (None, None, None)


def test_new_tokens_are_made_with_the_first_key() -> None:
    token = Keyring([NEW, OLD]).wait_token("t", WAIT)
    assert token == Keyring([NEW]).wait_token("t", WAIT)
    assert Keyring([OLD]).wait_id("t", token) is None


def test_keys_that_share_their_character_are_told_apart() -> None:
    character = Keyring([OLD]).wait_token("t", WAIT)[3]
    keys = (b"%032d" % number for number in itertools.count())
    other = next(key for key in keys if Keyring([key]).wait_token("t", WAIT)[3] == character)
    token, its = Keyring([OLD]).wait_token("t", WAIT), Keyring([other]).wait_token("t", WAIT)
    assert token != its
    assert Keyring([other]).wait_id("t", token) is None
    assert {Keyring([other, OLD]).wait_id("t", one) for one in (token, its)} == {WAIT}


async def test_a_conversation_goes_on_over_a_change_of_the_key(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'baton.db'}"
    runtime = await Runtime.start(database_url=url, secret=OLD, serving=False)
    tenant = await create_tenant(runtime.registry, "t", KeyTerms(), 0)
    await publish(runtime.registry, tenant.tenant_id, [Source("asking.yaml", FLOW)], 0)
    await runtime.catalog.refresh()
    opened = await runtime.executor.open(tenant.tenant_id, OpenRequest(public_key_id="pk"))
    caller = Caller(tenant_id=tenant.tenant_id, conversation_id=opened.conversation_id)
    asked = (await runtime.executor.trigger(caller, TriggerRequest(intent="asking"))).reply
    assert asked.wait_id is not None
    token = runtime.keyring.wait_token(tenant.tenant_id, asked.wait_id)
    await runtime.stop()
    runtime = await Runtime.start(database_url=url, secret=NEW, old_secret=OLD, serving=False)
    answer = ResumeRequest(run_id=asked.execution_id, wait_token=token, values={"name": "Ada"})
    assert (await runtime.executor.resume(caller, answer)).reply.status == "completed"
    await runtime.stop()
