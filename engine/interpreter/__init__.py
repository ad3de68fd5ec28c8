"""The pure core: `advance(book, run, event, limits)` gives the run after the event, what it asks of the world, and the way it took."""

from engine.interpreter.advance import advance
from engine.interpreter.book import Book, CompiledFlow, compile_flow
from engine.interpreter.inputs import matched_inputs
from engine.interpreter.state import decode_run, encode_run

__all__ = ["Book", "CompiledFlow", "advance", "compile_flow", "decode_run", "encode_run", "matched_inputs"]
