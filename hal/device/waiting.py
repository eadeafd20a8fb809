# SPDX-License-Identifier: MIT
"""Waiting for file descriptors in the loop of MicroPython's asyncio.

Its own wait_for_ms starts a task for each wait. Here a wait puts a line into a list, and one task, the timekeeper, looks
after all of them: it sleeps until the first deadline and ends the waits that are over. A wait that ended in time has taken
its line back, so a transfer of many packets wakes the timekeeper once a deadline, not once a packet.

Reading waits with the socket as asyncio's key, writing with its number: cancelling a task makes asyncio forget a key with
both of its directions, the other of which may be another task's.
"""

import asyncio
from asyncio import core

from hal.device.clock import monotonic

#: ms; ticks of a 32 bit board go round after 12 days, and asyncio sees half of that.
LONGEST_SLEEP = 1 << 28

_waits = []  # [deadline, task, key, True where it is over]


class _Keeper:
    # The timekeeper, if it lives: its task, the queue of asyncio's loop in which it sleeps, when it wakes up.
    task = None
    queue = None
    wakes = 0


def readable(thing, deadline):
    """Awaited: True once a socket or file descriptor can be read, False at the deadline (None: no end).

    One task may wait for each direction of it."""
    return _wait(thing, deadline, core._io_queue.queue_read)


def writable(number, deadline):
    """As readable, for writing; takes the file descriptor's number."""
    return _wait(number, deadline, core._io_queue.queue_write)


def forget(*keys):
    """Wake the tasks that wait for a socket and its number, which are about to be closed: they go on, and find them closed."""
    queue = core._io_queue
    for key in keys:
        entry = queue.map.get(id(key))
        if entry is not None:
            queue._dequeue(key)
            for task in entry[:2]:
                if task is not None:
                    core._task_queue.push(task)


def _wait(key, deadline, enqueue):
    # A generator, as only so MicroPython lets a task give up control; `await` takes it.
    if deadline is None:
        _enqueue(key, enqueue)
        yield
        return True
    if deadline <= monotonic():
        return False
    _enqueue(key, enqueue)
    wait = [deadline, core.cur_task, key, False]
    _waits.append(wait)
    _wake_at(deadline)
    try:
        yield
    finally:
        if wait in _waits:
            _waits.remove(wait)
    return not wait[3]


def _enqueue(key, enqueue):
    if id(key) in core._io_queue.map:
        raise RuntimeError("another task waits for this already")
    enqueue(key)


def _wake_at(deadline):
    # The timekeeper has to be awake at this time; usually it will be awake before.
    if _Keeper.queue is not core._task_queue:  # a new loop: nobody of the old one comes back
        _Keeper.queue = core._task_queue
        _Keeper.task = None
        _waits[:] = _waits[-1:]
    if _Keeper.task is None:
        _Keeper.wakes = deadline
        _Keeper.task = asyncio.create_task(_keep_time())
    elif deadline < _Keeper.wakes:
        _Keeper.wakes = deadline
        core._task_queue.remove(_Keeper.task)
        core._task_queue.push(_Keeper.task, core.ticks_add(core.ticks(), _left(deadline)))


def _left(deadline):
    return min(max(deadline - monotonic(), 0), LONGEST_SLEEP)


async def _keep_time():
    while _waits:
        now = monotonic()
        over = [wait for wait in _waits if wait[0] <= now]
        for wait in over:
            _waits.remove(wait)
            if id(wait[2]) in core._io_queue.map:  # else its socket has just become ready, or its task was cancelled
                wait[3] = True
                core._io_queue._dequeue(wait[2])
                core._task_queue.push(wait[1])
        if _waits:
            _Keeper.wakes = min([wait[0] for wait in _waits])
            await asyncio.sleep_ms(_left(_Keeper.wakes))
    _Keeper.task = None
