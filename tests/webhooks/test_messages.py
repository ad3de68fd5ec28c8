"""What a receiver gets: signed by its secret, and the same however often it comes."""

from standardwebhooks import Webhook

from tests.webhooks.conftest import World
from tests.webhooks.receiver import Receiver


async def test_a_receiver_verifies_what_a_run_tells_and_hears_it_in_order(world: World, receiver: Receiver) -> None:
    _, secret = await world.endpoint(receiver.url)
    run = await world.run()
    await world.send()
    mine = [one for one in receiver.received if one.told["execution_id"] == run]
    told = [Webhook(secret).verify(one.body, one.headers) for one in mine]
    assert [one["type"] for one in told] == ["chat.execution.started", "order.named", "chat.execution.completed"]
    assert told[1]["data"] == {"number": "A-1"}
    assert told[2]["data"]["end_reason"] == "completed"
    assert len({one.id for one in receiver.received}) == len(receiver.received) == 4
