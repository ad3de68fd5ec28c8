"""Many tests on all cores: the same results, in the same order, as if they were played one after the other."""

import asyncio
import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Final

import msgspec
from msgspec import Struct

from engine.testing.conversations.chaos import Chaos
from engine.testing.conversations.results import Failed, TestResult
from engine.testing.conversations.running import Flows, perform_tests
from engine.testing.conversations.script import TestFile

ENOUGH: Final = 200
"""Tests from which on more processes are worth what it takes to start them."""
_CHAOTIC: Final = 10
"""How many tests one costs that is put through chaos as well."""
_MOST_TOGETHER: Final = 50
"""Tests that a process is given at once: few enough for the last ones to end together."""
_CRASHED: Final = "the process that played this test ended all of a sudden"


class Job(Struct, frozen=True):
    """The tests of one file, and the flows that they know."""

    tests: TestFile
    flows: Flows
    chaos: Chaos | None = None


class _Chunk(Struct, frozen=True):
    """Some tests of one job."""

    job: int
    start: int
    stop: int


def run_jobs(jobs: Sequence[Job], *, workers: int | None = None) -> Iterator[TestResult]:
    """The results of all tests, in order, as they come; in other processes (one for each core) where there are enough of them."""
    count = sum(len(job.tests.tests) for job in jobs)
    workers = workers or _cores()
    cost = sum(len(job.tests.tests) * (1 if job.chaos is None else _CHAOTIC) for job in jobs)
    if workers == 1 or cost < ENOUGH:
        for job in jobs:
            yield from _play(job)
        return
    size = max(1, min(_MOST_TOGETHER, count // (4 * workers)))
    yield from _spread(jobs, [*_chunks(jobs, size)], workers)


def _spread(jobs: Sequence[Job], chunks: Sequence[_Chunk], workers: int) -> Iterator[TestResult]:
    """Every crash costs the tests that were under way: one chunk of them is played alone, to find who is to blame, the others again."""
    left = deque(chunks)
    while left:
        with _Pool(jobs, workers) as pool:
            futures = [pool.submit(_play_chunk, chunk) for chunk in left]
            for future in futures:
                try:
                    results = future.result()
                except BrokenProcessPool:
                    break
                left.popleft()
                yield from results
        if left:
            yield from _alone(jobs, left.popleft())


def _alone(jobs: Sequence[Job], chunk: _Chunk) -> Iterator[TestResult]:
    for number in range(chunk.start, chunk.stop):
        with _Pool(jobs, 1) as pool:
            try:
                yield from pool.submit(_play_chunk, _Chunk(chunk.job, number, number + 1)).result()
            except BrokenProcessPool:
                yield _crashed(jobs[chunk.job].tests, number)


def _crashed(tests: TestFile, number: int) -> TestResult:
    test = tests.tests[number]
    return TestResult(tests.file, tests.flow, test.name, test.line, Failed(_CRASHED, test.line), 0.0)


def _chunks(jobs: Sequence[Job], size: int) -> Iterator[_Chunk]:
    for number, job in enumerate(jobs):
        count = len(job.tests.tests)
        yield from (_Chunk(number, start, min(start + size, count)) for start in range(0, count, size))


def _play(job: Job) -> list[TestResult]:
    return asyncio.run(perform_tests(job.tests, job.flows, chaos=job.chaos))


class _Pool(ProcessPoolExecutor):
    """Processes that know the jobs; what has not begun when it is left is not begun any more."""

    def __init__(self, jobs: Sequence[Job], workers: int) -> None:
        # A fork takes a tenth of the time of a fresh start, and is safe only as long as no other thread holds a lock.
        alone = sys.platform == "linux" and threading.active_count() == 1
        context = multiprocessing.get_context("fork" if alone else "spawn")
        super().__init__(workers, mp_context=context, initializer=_begin, initargs=(jobs,))

    def __exit__(self, *_: object) -> None:
        self.shutdown(wait=True, cancel_futures=True)


_jobs: list[Job] = []
"""Of a process that plays: what it may be asked to play."""


def _begin(jobs: Sequence[Job]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process tells what an interrupt means
    _jobs[:] = jobs


def _play_chunk(chunk: _Chunk) -> list[TestResult]:
    job = _jobs[chunk.job]
    tests = msgspec.structs.replace(job.tests, tests=job.tests.tests[chunk.start : chunk.stop])
    return _play(msgspec.structs.replace(job, tests=tests))


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
