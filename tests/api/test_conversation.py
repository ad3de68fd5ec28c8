"""A conversation over the chat surface, from the session to the end of the run."""

from tests.api.world import World


async def test_an_order_is_looked_up(world: World) -> None:
    token = await world.token()
    reply = await world.trigger(token)
    assert reply["status"] == "waiting_input"
    assert [block["payload"]["text"] for block in reply["blocks"]] == ["What's your order number?"]
    answer = await world.answer(token, reply, text="A-1")
    assert answer.status_code == 200
    ended = answer.json()["reply"]
    assert ended["status"] == "completed"
