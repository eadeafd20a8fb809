# SPDX-License-Identifier: MIT
"""Words for servers and for network failures, and a count of the time that each server cost."""

import errno

from agent.formats.text import shown

# The errors that the HAL's net raises. MicroPython's errno lacks some names, so those are numbers.
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
    """(host, port) as text for a person: "192.0.2.1:69" or "[2001:db8::1]:69". The host may be a name from a list or a
    configuration, so it is made printable."""
    host, port = server
    return "%s:%d" % ("[%s]" % shown(host) if ":" in host else shown(host), port)


def failure_text(error):
    """A few words for an OSError of the HAL's net. EPROTO means that TLS failed."""
    number = error.errno or (
        error.args[0] if error.args else None
    )  # CPython sets errno only if there are two arguments
    if number in _NETWORK_ERRORS:
        return _NETWORK_ERRORS[number]
    said = error.args[-1] if len(error.args) > 1 else error
    return f"TLS failed: {said}" if number == _PROTOCOL_ERROR else f"network error: {said}"


def is_closed(error):
    """Whether an OSError means that the peer ended the connection (reset, broken pipe)."""
    return error.errno in (errno.ECONNRESET, 32, 103)


def is_timeout(error):
    """Whether an OSError means that the deadline of a wait passed."""
    return (error.errno or (error.args[0] if error.args else None)) in (errno.ETIMEDOUT, errno.EAGAIN)


def close_quietly(stream):
    """Close a connection, and ignore errors: its outcome is known already."""
    try:
        stream.close()
    except OSError:
        pass


class Costs:
    """Counts the ms that each server cost. The table stays small, because the phone's lists of servers are short."""

    def __init__(self):
        self._spent = {}

    def clear(self):
        """Forget all costs."""
        self._spent = {}

    def add(self, where, spent):
        """The server `where` ("TFTP 192.0.2.1:69") cost another `spent` ms."""
        self._spent[where] = self._spent.get(where, 0) + spent

    def listed(self):
        """[(where, ms)], the most expensive server first. Servers that cost less than 1 ms are left out."""
        found = [(where, spent) for where, spent in self._spent.items() if spent > 0]
        return sorted(found, key=_by_cost)


def _by_cost(item):
    return (-item[1], item[0])
