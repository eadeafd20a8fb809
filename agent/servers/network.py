# SPDX-License-Identifier: MIT
"""Words for servers and for failures of the network, and how much time each server cost."""

import errno

from agent.formats.text import shown

# What the HAL's net raises; numbers where MicroPython's errno lacks the name.
_PROTOCOL_ERROR = 71
_NETWORK_ERRORS = {
    errno.ENOENT: "its name is not known",
    errno.EACCES: "its certificate is not accepted",
    errno.ETIMEDOUT: "no answer in time",
    errno.EAGAIN: "no answer in time",
    errno.ECONNREFUSED: "connection refused",
    errno.ECONNRESET: "connection reset",
    errno.EHOSTUNREACH: "no route to the host",
    101: "network unreachable",
    100: "network is down",
    103: "connection aborted",
    32: "connection closed by the server",
}


def server_text(server):
    """ "192.0.2.1:69" or "[2001:db8::1]:69" of (host, port), for a person: lists and configurations name hosts."""
    host, port = server
    return "%s:%d" % ("[%s]" % shown(host) if ":" in host else shown(host), port)


def failure_text(error):
    """A few words for an OSError of the HAL's net (EPROTO is TLS's)."""
    number = error.errno or (error.args[0] if error.args else None)  # CPython sets errno for two arguments only
    if number in _NETWORK_ERRORS:
        return _NETWORK_ERRORS[number]
    said = error.args[-1] if len(error.args) > 1 else error
    return f"TLS failed: {said}" if number == _PROTOCOL_ERROR else f"network error: {said}"


def is_closed(error):
    """Whether an OSError means that the peer ended the connection (reset, broken pipe)."""
    return error.errno in (errno.ECONNRESET, 32, 103)


def is_timeout(error):
    """Whether an OSError means that a wait came to its deadline."""
    return (error.errno or (error.args[0] if error.args else None)) in (errno.ETIMEDOUT, errno.EAGAIN)


def close_quietly(stream):
    """Close a connection whose outcome is known; how it closes does not matter."""
    try:
        stream.close()
    except OSError:
        pass


class Costs:
    """How many ms were spent on each server. Bounded: the servers are those of the phone's own short lists."""

    def __init__(self):
        self._spent = {}

    def clear(self):
        """Begin anew."""
        self._spent = {}

    def add(self, where, spent):
        """`spent` ms went to the server `where` ("TFTP 192.0.2.1:69")."""
        self._spent[where] = self._spent.get(where, 0) + spent

    def listed(self):
        """[(where, ms)], the most expensive server first; servers that cost less than 1 ms are left out."""
        found = [(where, spent) for where, spent in self._spent.items() if spent > 0]
        return sorted(found, key=_by_cost)


def _by_cost(item):
    return (-item[1], item[0])
