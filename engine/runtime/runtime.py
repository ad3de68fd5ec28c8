"""The composition of the shell: store, catalog, executor and scheduler, opened together and closed in order."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack, ExitStack
from typing import Final, Self

from engine.runtime.callbacks import Callbacks
from engine.runtime.catalog import Catalog
from engine.runtime.clock import Clock, SystemClock
from engine.runtime.executor import Executor
from engine.runtime.faults import FaultPoints
from engine.runtime.outbound.client import OutboundClient
from engine.runtime.performing import Outside, Performers
from engine.runtime.requesting import HttpPerformer
from engine.runtime.scheduler import Scheduler
from engine.runtime.store.port import Store
from engine.runtime.store.registry import Registry
from engine.runtime.store.sqlite.address import sqlite_path
from engine.runtime.store.sqlite.connect import Synchronous
from engine.runtime.store.sqlite.lock import ServerLock
from engine.runtime.store.sqlite.open import open_sqlite
from engine.runtime.tokens import Keyring
from engine.runtime.vault import Vault
from engine.runtime.webhooks.places import OF_CLIENT
from engine.runtime.webhooks.sender import Post, Sender

_PATIENCE: Final = 1.0
"""Seconds that calls under way have to come to their end when the process stops."""


class Runtime:
    """Everything that serves conversations on one database."""

    def __init__(  # noqa: PLR0913 - all by name, most with a default
        self,
        store: Store,
        registry: Registry,
        keyring: Keyring,
        clock: Clock,
        *,
        catalog: Catalog | None = None,
        callbacks: Callbacks | None = None,
        performers: Performers | None = None,
        post: Post | None = None,
        faults: FaultPoints | None = None,
        lock: ServerLock | None = None,
    ) -> None:
        """`performers` and `post` stand in for what calls outside, in tests; without them nothing is called."""
        self.store = store
        self.registry = registry
        self.keyring = keyring
        self.clock = clock
        self.callbacks = callbacks or Callbacks(keyring, "")
        self.catalog = catalog or Catalog(registry)
        self.executor = Executor(store, self.catalog, keyring, clock, outside=Outside(performers or {}, faults))
        self.reader = self.executor.reader
        self.sender = None if post is None else Sender(store, registry, self.catalog, clock, post, Outside(faults=faults))
        self.scheduler = Scheduler(store, self.executor, self.catalog, clock, self.sender, lock)
        self._serving = lock is not None
        self._opened = AsyncExitStack()
        if lock is not None:
            self._opened.callback(lock.release)
        self._opened.push_async_callback(registry.close)
        self._opened.push_async_callback(store.close)

    @classmethod
    async def start(  # noqa: PLR0913 - all by name, most with a default
        cls,
        *,
        database_url: str,
        secret: bytes,
        old_secret: bytes | None = None,
        clock: Clock | None = None,
        synchronous: Synchronous = "full",
        performers: Performers | None = None,
        allowed_hosts: Sequence[str] = (),
        public_url: str = "http://127.0.0.1:8080",
        faults: FaultPoints | None = None,
        serving: bool = True,
    ) -> Self:
        """Open the database, migrating it first, and begin to tick; `serving=False` leaves scheduler and server lock alone.

        What was signed or sealed under `old_secret` stays good. `public_url` is what callback addresses begin with; `allowed_hosts` are
        addresses that flows may reach although they are not public. Raises StoreError when the database cannot be used, or another server
        process uses it, and SettingsError for a host that is none; nothing stays open then.
        """
        clock = clock or SystemClock()
        path = sqlite_path(database_url)
        keys = [secret] if old_secret is None else [secret, old_secret]
        keyring, vault = Keyring(keys), Vault(keys)
        callbacks = Callbacks(keyring, public_url)
        calling = OutboundClient(allowed_hosts)
        sending = OutboundClient(allowed_hosts, at_once=OF_CLIENT)  # with places of its own: whoever hangs there holds up no run
        lock = ServerLock(path) if serving else None
        with ExitStack() as held:
            if lock is not None:
                held.enter_context(lock)
            store, registry = await open_sqlite(path, clock, synchronous=synchronous, faults=faults, locked=serving)
            held.pop_all()
        catalog = Catalog(registry)
        runtime = cls(
            store,
            registry,
            keyring,
            clock,
            catalog=catalog,
            callbacks=callbacks,
            performers=performers or {"http": HttpPerformer(calling, catalog, vault, callbacks)},
            post=Post(sending, vault, callbacks),
            faults=faults,
            lock=lock,
        )
        try:
            await catalog.refresh()
        except BaseException:
            await runtime._opened.aclose()
            raise
        if serving:
            runtime.scheduler.start()
        return runtime

    async def stop(self) -> None:
        """Let what was accepted come to its end, and let go of the database."""
        self.executor.bulletin.close()
        sending = () if self.sender is None else (self.sender.stop(_PATIENCE),)
        async with self._opened:
            await asyncio.gather(*sending, self._stop_turns())

    async def _stop_turns(self) -> None:
        if self._serving:
            await self.scheduler.stop()
        await self.executor.worker.stop(_PATIENCE)
