"""Streams of prompts: in order, in constant memory, on several processes if asked."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from itertools import islice
from typing import TypeVar

from safegen import policies
from safegen.errors import CheckUnavailable, UsageError
from safegen.policies.schema import Policy
from safegen.screening.run import ScreeningDecision, screen_requests
from safegen.types import Request

T = TypeVar("T")
R = TypeVar("R")
CHUNK = 64
"""Prompts that are read together, by a worker process or because all are at hand."""
AHEAD = 4
"""Chunks per worker that are read ahead of the answers."""


def screen_many(
    texts: Iterable[str], *, policy: Policy | str = "default", workers: int = 1
) -> Iterator[ScreeningDecision]:
    """Screen prompts lazily, in order, in constant memory. Raises as ``screen`` does, where it concerns.

    A list or tuple is read CHUNK prompts at a time, which is several times as fast; what may only arrive
    bit by bit is answered one by one.
    With *workers* > 1 that many processes share the work; start them from a module that is guarded by
    ``if __name__ == "__main__"``. With a guard in the policy its ``batch`` of prompts is read at a time.
    """
    resolved = policies.load(policy) if isinstance(policy, str) else policy
    limit = batch_size(resolved, workers, ready=isinstance(texts, list | tuple))
    for verdict in map_ordered(partial(_texts, policy=resolved), texts, limit, workers):
        if isinstance(verdict, UsageError):
            raise verdict
        yield verdict


async def screen_async(
    texts: AsyncIterable[str] | Iterable[str], *, policy: Policy | str = "default"
) -> AsyncIterator[ScreeningDecision]:
    """``screen_many`` for an event loop: prompts may arrive over time; the work is done in a thread."""
    resolved = policies.load(policy) if isinstance(policy, str) else policy
    limit = batch_size(resolved, 1)
    batch: list[str] = []
    async for text in _iterate(texts):
        batch.append(text)
        if len(batch) >= limit:
            for verdict in await asyncio.to_thread(_texts, batch, policy=resolved):
                yield _unwrap(verdict)
            batch = []
    for verdict in await asyncio.to_thread(_texts, batch, policy=resolved):
        yield _unwrap(verdict)


def batch_size(policy: Policy, workers: int, *, ready: bool = False) -> int:
    """How many prompts are judged together; *ready*: none of them has to be waited for."""
    if policy.guard is not None:
        return policy.guard.batch
    return CHUNK if workers > 1 or ready else 1


def map_ordered(
    work: Callable[[list[T]], list[R]], items: Iterable[T], chunk: int, workers: int
) -> Iterator[R]:
    """``work`` over chunks of *items*, answers in order; on *workers* processes if that is more than one.

    Raises what ``work`` raises; CheckUnavailable when a process dies.
    """
    chunks = _chunks(items, chunk)
    if workers <= 1:
        for part in chunks:
            yield from work(part)
        return
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_forget_secrets)
    waiting: deque[Future[list[R]]] = deque()
    try:
        for part in chunks:
            waiting.append(pool.submit(work, part))
            if len(waiting) >= AHEAD * workers:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    except BrokenProcessPool as error:
        raise CheckUnavailable(
            "a worker process screening prompts died", hint="nothing was let through; use fewer workers"
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _forget_secrets() -> None:
    """A worker has no use for keys and passphrases."""
    for name in list(os.environ):
        if name.endswith(("_KEY", "_TOKEN", "_SECRET", "_PASSWORD", "_PASSPHRASE")):
            del os.environ[name]


def _chunks(items: Iterable[T], count: int) -> Iterator[list[T]]:
    stream = iter(items)
    while part := list(islice(stream, count)):
        yield part


def _texts(texts: list[str], *, policy: Policy) -> list[ScreeningDecision | UsageError]:
    return screen_requests([Request(prompt=t, policy=policy.name) for t in texts], policy)


def _unwrap(verdict: ScreeningDecision | UsageError) -> ScreeningDecision:
    if isinstance(verdict, UsageError):
        raise verdict
    return verdict


async def _iterate(texts: AsyncIterable[str] | Iterable[str]) -> AsyncIterator[str]:
    if isinstance(texts, AsyncIterable):
        async for text in texts:
            yield text
        return
    for text in texts:
        yield text
