# SPDX-License-Identifier: MIT
"""Addresses of hosts under MicroPython, by libc's resolver.

Names are looked up by getaddrinfo_a, which has threads of its own in libc: MicroPython's garbage collector would have to
stop a thread of MicroPython's own at each collection. An address is the packed struct sockaddr_in or sockaddr_in6.
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
RESULT = 3 * struct.calcsize("P")  # where ar_result is in struct gaicb
GAICB_SIZE = 4 * struct.calcsize("P") + 24

#: Names that may be looked up at once; those whose answer nobody waits for any more count too.
LOOKUPS = 4
LONGEST_PAUSE = 20  # ms between two looks for an answer

_getaddrinfo = libc.func("i", "getaddrinfo", "PPPP")
_getaddrinfo_a = libc.func("i", "getaddrinfo_a", "iPip")
_gai_error = libc.func("i", "gai_error", "P")
_freeaddrinfo = libc.func("v", "freeaddrinfo", "p")
_gai_strerror = libc.func("s", "gai_strerror", "i")

_lookups = []  # under way: libc writes into their memory until they end


async def resolve(host, port, deadline):
    """The packed address of a host. OSError: ENOENT for an unknown name, ETIMEDOUT."""
    if not host or "\0" in host:
        raise OSError(ENOENT, "no address for %s: that is no name" % host)
    return _numeric(host, port) or choose(await _ask(host, port, deadline))


def choose(found):
    """Of several addresses: the first of IPv4 to which there is a route, else of IPv6, else the first."""
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
        lookup.abandoned = True  # from now on its end is looked after by the next that asks


class Lookup:
    """One name that libc looks up in a thread of its own."""

    def __init__(self, host, port):
        self.abandoned = False  # whether nobody waits for it any more
        # libc keeps the addresses of all of these.
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
        """True where the answer is there."""
        return _gai_error(self._request) != EAI_INPROGRESS

    def addresses(self, host):
        """The answer. OSError (ENOENT): there is no address."""
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
                lookup.addresses("")  # gives libc's memory back
            except OSError:
                pass
    return len(_lookups) < LOOKUPS


def _take(pointer):
    # All IPv4 and IPv6 addresses of a chain of struct addrinfo, which is given back.
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
    # Connecting a UDP socket sends nothing, and fails at once where there is no way.
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
