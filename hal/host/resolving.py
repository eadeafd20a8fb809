# SPDX-License-Identifier: MIT
"""Finds the addresses of hosts on CPython. The system's resolver blocks, so it runs in a small number of threads."""

import asyncio
import errno
import socket
import threading

#: How many threads may be in the resolver at once. Threads for which no task waits any more count, too.
THREADS = 4
PAUSE = 0.02  # seconds between two checks for a free place

_places = threading.BoundedSemaphore(THREADS)


async def resolve(host, port, deadline):
    """(family, address) of a host. deadline: ms of the clock. Raises OSError: ENOENT for an unknown name, ETIMEDOUT."""
    found = _numeric(host, port)
    if found is None:
        found = choose(await _ask(host, port, deadline))
    return found


def choose(found):
    """One of several addresses: the first IPv4 address with a route, else the first IPv6 address with a route, else the first
    address."""
    for family in (socket.AF_INET, socket.AF_INET6):
        for each in found:
            if each[0] == family and _has_route(each):
                return each
    return found[0]


def _numeric(host, port):
    if not host or "\0" in host:
        raise _unknown(host, "that is not a name")
    try:
        return _lookup(host, port, socket.AI_NUMERICHOST)[0]
    except (socket.gaierror, UnicodeError):
        return None


async def _ask(host, port, deadline):
    loop = asyncio.get_running_loop()
    end = deadline / 1000
    while not _places.acquire(blocking=False):
        if loop.time() >= end:
            raise OSError(errno.ETIMEDOUT, f"the resolver is busy with other names than {host}")
        await asyncio.sleep(PAUSE)
    answer = loop.create_future()

    def tell(found, error):
        if not answer.done():
            if error is None:
                answer.set_result(found)
            else:
                answer.set_exception(error)

    def work():
        found = error = None
        try:
            found = _lookup(host, port, 0)
        except (socket.gaierror, UnicodeError) as failure:
            error = _unknown(host, failure)
        except Exception as failure:
            error = failure
        finally:
            _places.release()
        try:
            loop.call_soon_threadsafe(tell, found, error)
        except RuntimeError:
            pass  # the loop has ended in the meantime

    # It is a daemon, so that a program that ends does not wait for the resolver.
    threading.Thread(target=work, name="resolver", daemon=True).start()
    try:
        async with asyncio.timeout_at(end):
            return await answer
    except TimeoutError:
        raise OSError(errno.ETIMEDOUT, f"no address for {host} in time") from None


def _lookup(host, port, flags):
    found = socket.getaddrinfo(host, port, 0, socket.SOCK_DGRAM, 0, flags | socket.AI_NUMERICSERV)
    return [(each[0], each[4]) for each in found if each[0] in (socket.AF_INET, socket.AF_INET6)]


def _has_route(each):
    # Connecting a UDP socket sends nothing, and fails at once if there is no route.
    try:
        with socket.socket(each[0], socket.SOCK_DGRAM) as probe:
            probe.connect(each[1])
    except OSError:
        return False
    return True


def _unknown(host, why):
    return OSError(errno.ENOENT, f"no address for {host}: {why}")
