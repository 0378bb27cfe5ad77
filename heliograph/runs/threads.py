"""Work on the store, away from the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


async def run_in_thread(
    work: Callable[Parameters, Result], *arguments: Parameters.args, **options: Parameters.kwargs
) -> Result:
    """Run a blocking call in a thread; a cancellation takes effect only when the call has ended.

    A transaction cannot be stopped half way, and whoever cancels (the worker's stop) must know that it is over.
    """
    task = asyncio.ensure_future(asyncio.to_thread(work, *arguments, **options))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # Seen here, or asyncio logs it later with all that it quotes.
        raise
