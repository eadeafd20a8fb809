# SPDX-License-Identifier: MIT
"""Finds the addresses of hosts under MicroPython, by libc's resolver.

getaddrinfo_a looks names up in threads of libc. MicroPython's garbage collector would have to stop threads of its own at each
collection. An address is the packed struct sockaddr_in or sockaddr_in6.
"""

import asyncio
import socket
import struct

import uctypes

from hal.device.clock import monotonic
from hal.device.libc import libc

ENOENT, ETIMEDOUT = 2, 110
AI_NUMERICHOST, AI_NUMERICSERV = 0x4, 0x400
EAI_INPROGRESS, EAI_NONAME = -100, -2
GAI_NOWAIT = 1
INFO = "iiiiIPPP"  # struct addrinfo
RESULT = 3 * struct.calcsize("P")  # offset of ar_result in struct gaicb
GAICB_SIZE = 4 * struct.calcsize("P") + 24

#: How many names may be looked up at once. Lookups for which no task waits any more count, too.
LOOKUPS = 4
LONGEST_PAUSE = 20  # ms between two checks for an answer

_getaddrinfo = libc.func("i", "getaddrinfo", "PPPP")
_getaddrinfo_a = libc.func("i", "getaddrinfo_a", "iPip")
_gai_error = libc.func("i", "gai_error", "P")
_freeaddrinfo = libc.func("v", "freeaddrinfo", "p")
_gai_strerror = libc.func("s", "gai_strerror", "i")

_lookups = []  # the running lookups; libc writes into their memory until they end


async def resolve(host, port, deadline):
    """The packed address of a host. deadline: ms of the clock. Raises OSError: ENOENT for an unknown name, ETIMEDOUT."""
    if not host or "\0" in host:
        raise OSError(ENOENT, "no address for %s: that is not a name" % host)
    return _numeric(host, port) or choose(await _ask(host, port, deadline))


def choose(found):
    """One of several addresses: the first IPv4 address with a route, else the first IPv6 address with a route, else the first
    address."""
    for family in (socket.AF_INET, socket.AF_INET6):
        for each in found:
            if struct.unpack("H", each)[0] == family and _has_route(family, each):
                return each
    return found[0]


def _numeric(host, port):
    answer = bytearray(struct.calcsize("P"))
    if _getaddrinfo(_text(host), _text(port), _hints(AI_NUMERICHOST), answer):
        return None
    return _take(struct.unpack("P", answer)[0])[0]


async def _ask(host, port, deadline):
    pause = 1
    while not _room():
        if monotonic() >= deadline:
            raise OSError(ETIMEDOUT, "the resolver is busy with other names than %s" % host)
        await asyncio.sleep_ms(LONGEST_PAUSE)
    lookup = Lookup(host, port)
    try:
        while not lookup.ended():
            left = deadline - monotonic()
            if left <= 0:
                raise OSError(ETIMEDOUT, "no address for %s in time" % host)
            await asyncio.sleep_ms(min(pause, left))
            pause = min(2 * pause, LONGEST_PAUSE)
        return lookup.addresses(host)
    finally:
        lookup.abandoned = True  # from now on the next caller frees it when it has ended


class Lookup:
    """One name that libc looks up in its own thread. Raises OSError if it does not start."""

    def __init__(self, host, port):
        self.abandoned = False  # whether no task waits for it any more
        # libc keeps the addresses of these buffers until the lookup ends.
        self._memory = [_text(host), _text(port), _hints(0)]
        addresses = [uctypes.addressof(each) for each in self._memory]
        self._request = bytearray(GAICB_SIZE)
        struct.pack_into("PPP", self._request, 0, *addresses)
        self._list = bytearray(struct.pack("P", uctypes.addressof(self._request)))
        failure = _getaddrinfo_a(GAI_NOWAIT, self._list, 1, None)
        if failure:
            raise OSError(ENOENT, "the resolver does not start: %s" % _gai_strerror(failure))
        _lookups.append(self)

    def ended(self):
        """Whether the lookup has ended."""
        return _gai_error(self._request) != EAI_INPROGRESS

    def addresses(self, host):
        """The addresses that were found. Call it once, after the end. Raises OSError (ENOENT) if there is no address."""
        _lookups.remove(self)
        failure = _gai_error(self._request)
        found = _take(struct.unpack_from("P", self._request, RESULT)[0]) if not failure else []
        if not found:
            raise OSError(ENOENT, "no address for %s: %s" % (host, _gai_strerror(failure or EAI_NONAME)))
        return found


def _room():
    for lookup in list(_lookups):
        if lookup.abandoned and lookup.ended():
            try:
                lookup.addresses("")  # frees libc's memory
            except OSError:
                pass
    return len(_lookups) < LOOKUPS


def _take(pointer):
    # Returns all IPv4 and IPv6 addresses of a chain of struct addrinfo, and frees the chain.
    found = []
    each = pointer
    while each:
        info = struct.unpack(INFO, uctypes.bytes_at(each, struct.calcsize(INFO)))
        if info[1] in (socket.AF_INET, socket.AF_INET6):
            found.append(bytes(uctypes.bytes_at(info[5], info[4])))
        each = info[7]
    if pointer:
        _freeaddrinfo(pointer)
    return found


def _hints(flags):
    hints = bytearray(struct.calcsize(INFO))
    struct.pack_into("iii", hints, 0, flags | AI_NUMERICSERV, 0, socket.SOCK_DGRAM)
    return hints


def _text(value):
    return bytearray(str(value).encode() + b"\0")


def _has_route(family, address):
    # Connecting a UDP socket sends nothing, and fails at once if there is no route.
    try:
        probe = socket.socket(family, socket.SOCK_DGRAM)
    except OSError:
        return False
    try:
        probe.connect(address)
        return True
    except OSError:
        return False
    finally:
        probe.close()
