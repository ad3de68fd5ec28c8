"""A store and a registry in memory, with the promises of their ports."""

from engine.testing.memory.registry import MemoryRegistry
from engine.testing.memory.store import MemoryStore

__all__ = ["MemoryRegistry", "MemoryStore"]
