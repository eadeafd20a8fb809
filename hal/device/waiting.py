# SPDX-License-Identifier: MIT
"""Waits for file descriptors in the loop of MicroPython's asyncio.

asyncio's own wait_for_ms starts a task for each wait. Here each wait puts an entry into a list, and a single task, the
timekeeper, sleeps until the first deadline and ends the waits that are over. A wait that ends in time removes its entry, so a
transfer of many packets wakes the timekeeper once for each deadline, not once for each packet.

A task that reads uses the socket as asyncio's key, and a task that writes uses the socket's number. When a task is cancelled,
asyncio forgets its key with both directions, and the other direction may belong to another task.
"""

import asyncio
from asyncio import core

from hal.device.clock import monotonic

#: ms. The ticks of a 32-bit board wrap after 12 days, and asyncio can tell times apart up to half of that.
LONGEST_SLEEP = 1 << 28

_waits = []  # [deadline, task, key, whether the deadline has passed]


class _Keeper:
    # The timekeeper: its task (None if it does not run), the task queue in which it sleeps, the time (ms) at which it wakes up.
    task = None
    queue = None
    wakes = 0


def readable(thing, deadline):
    """To be awaited: True once a socket or file descriptor can be read, False at the deadline (ms of the clock; None: no end).

    Only one task may wait for each direction."""
    return _wait(thing, deadline, core._io_queue.queue_read)


def writable(number, deadline):
    """As readable(), for writing. number: of the file descriptor."""
    return _wait(number, deadline, core._io_queue.queue_write)


def forget(*keys):
    """Wake the tasks that wait for a socket or its number (the keys), because it will be closed. They will find it closed."""
    queue = core._io_queue
    for key in keys:
        entry = queue.map.get(id(key))
        if entry is not None:
            queue._dequeue(key)
            for task in entry[:2]:
                if task is not None:
                    core._task_queue.push(task)


def _wait(key, deadline, enqueue):
    # It is a generator, because in MicroPython only a generator can give up control. `await` accepts it.
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
    # Make sure that the timekeeper wakes up at this time. Usually it wakes up earlier anyway.
    if _Keeper.queue is not core._task_queue:  # the loop is new, and the tasks of the old loop never continue
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
            if (
                id(wait[2]) in core._io_queue.map
            ):  # otherwise its socket has just become ready, or its task was cancelled
                wait[3] = True
                core._io_queue._dequeue(wait[2])
                core._task_queue.push(wait[1])
        if _waits:
            _Keeper.wakes = min([wait[0] for wait in _waits])
            await asyncio.sleep_ms(_left(_Keeper.wakes))
    _Keeper.task = None
