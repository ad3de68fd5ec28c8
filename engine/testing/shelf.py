"""Flows on a shelf: what the interpreter needs to run them without a catalog."""

from engine.interpreter import CompiledFlow
from engine.model.run import FlowRef


class Shelf:
    """The flows of a tenant, the newest version of each."""

    def __init__(self, *scripts: CompiledFlow) -> None:
        self._scripts = {script.ref.flow: script for script in scripts}

    def __call__(self, ref: FlowRef) -> CompiledFlow:
        """The flow, whatever its version."""
        return self._scripts[ref.flow]

    def newest(self, flow: str) -> CompiledFlow | None:
        """The flow, if it is on the shelf."""
        return self._scripts.get(flow)
