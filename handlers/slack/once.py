"""One run for each act within this process, however often Slack delivers it. Knows no Slack.

The desk knows what was done, also after a restart; this keeps a second delivery from being answered
a second time while the first is under way or just done.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

Result = TypeVar("Result")

REMEMBERED = 4096


class Once:
    def __init__(self) -> None:
        self._acts: OrderedDict[str, asyncio.Future[Any]] = OrderedDict()

    async def run(self, act: str, work: Callable[[], Awaitable[Result]]) -> Result:
        """The first delivery of an act runs; another one waits for it and has the same result.

        What failed is forgotten, so that the next delivery tries again. An act without a name is
        always the first.
        """
        if not act:
            return await work()
        before = self._acts.get(act)
        if before is not None:
            found: Result = await asyncio.shield(before)
            return found
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._acts[act] = future
        while len(self._acts) > REMEMBERED:
            self._acts.popitem(last=False)
        try:
            result = await work()
        except BaseException as fault:
            self._acts.pop(act, None)
            if isinstance(fault, Exception):
                future.set_exception(fault)
                future.exception()  # nobody else may be waiting
            else:
                future.cancel()
            raise
        future.set_result(result)
        return result
