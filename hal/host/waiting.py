# SPDX-License-Identifier: MIT
"""Waits for a file descriptor in a loop of asyncio, on CPython. Each wait has one future and at most one timer."""

import asyncio

_waits = {}  # (file descriptor, writing) -> (loop, future)


def readable(number, deadline):
    """To be awaited: True once the file descriptor can be read, False at the deadline (ms of the clock; None: no end).

    Only one task may wait for each direction of a file descriptor. Raises OSError (EPERM) for a kind of file that is always
    ready."""
    return _wait(number, False, deadline)


def writable(number, deadline):
    """As readable(), for writing."""
    return _wait(number, True, deadline)


def forget(number):
    """Wake the tasks that wait for this file descriptor, because it will be closed. They will find it closed."""
    for writing in (False, True):
        loop, future = _waits.pop((number, writing), (None, None))
        if future is not None:
            _unwatch(loop, number, writing)
            _end(future, True)


async def _wait(number, writing, deadline):
    loop = asyncio.get_running_loop()
    end = None if deadline is None else deadline / 1000  # loop.time() is time.monotonic()
    if end is not None and end <= loop.time():
        return False
    key = (number, writing)
    if key in _waits:
        raise RuntimeError("another task waits for this already")
    future = loop.create_future()
    (loop.add_writer if writing else loop.add_reader)(number, _end, future, True)
    entry = _waits[key] = (loop, future)
    timer = None if end is None else loop.call_at(end, _end, future, False)
    try:
        return await future
    finally:
        if timer is not None:
            timer.cancel()
        if _waits.get(key) is entry:
            del _waits[key]
            _unwatch(loop, number, writing)


def _unwatch(loop, number, writing):
    if not loop.is_closed():
        (loop.remove_writer if writing else loop.remove_reader)(number)


def _end(future, value):
    if not future.done():
        future.set_result(value)
