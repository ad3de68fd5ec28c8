"""What is written to a connection in one round of the loop leaves in one piece, and nothing of it is lost."""

import asyncio

from api.protocol import Joined


class Wire(asyncio.Transport):
    """A transport that keeps each write by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.closed
        self.writes.append(bytes(data))

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def get_write_buffer_size(self) -> int:
        return 0


async def test_a_head_and_its_body_leave_as_one() -> None:
    wire = Wire()
    joined = Joined(wire, asyncio.get_running_loop())
    joined.write(b"head ")
    joined.write(b"body")
    assert wire.writes == []
    joined.flush()
    await asyncio.sleep(0)
    assert wire.writes == [b"head body"]


async def test_what_nobody_flushes_leaves_when_the_loop_comes_round() -> None:
    wire = Wire()
    joined = Joined(wire, asyncio.get_running_loop())
    joined.write(b"a part of a stream")
    await asyncio.sleep(0)
    joined.write(b", and the next")
    await asyncio.sleep(0)
    assert wire.writes == [b"a part of a stream", b", and the next"]


async def test_closing_sends_first() -> None:
    wire = Wire()
    joined = Joined(wire, asyncio.get_running_loop())
    joined.write(b"goodbye")
    joined.close()
    assert (wire.writes, wire.closed) == ([b"goodbye"], True)


async def test_nothing_is_written_to_a_connection_that_has_gone() -> None:
    wire = Wire()
    joined = Joined(wire, asyncio.get_running_loop())
    joined.write(b"too late")
    wire.close()
    await asyncio.sleep(0)
    assert (wire.writes, joined.is_closing()) == ([], True)
