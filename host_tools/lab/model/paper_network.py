# SPDX-License-Identifier: MIT
"""The TVS servers of lab clusters as a phone on paper meets them: hal.Net without sockets.

A forecast's phone asks with its own client (agent/servers/tvs/client.py), and the lab's TVS answers here, so that the
forecast says what the phone will say."""

import errno
import os
import struct

from agent.formats.phoneconfig import TVS_PORT
from host_tools.lab.servers import tvs
from host_tools.lab.writers.kinds import has_tvs, is_open


class Random:
    """hal.Random for session numbers."""

    def bytes(self, count):
        """`count` random bytes."""
        return os.urandom(count)


class PaperNetwork:
    """clusters: [(State, what its TVS vouches for)] of all clusters whose servers run. reached: numbers of the first
    cluster's nodes that the phone reaches, None: all."""

    def __init__(self, clusters, reached=None):
        self._clusters = clusters
        self._reached = reached

    async def tls(self, host, port, deadline, accept, identity=None):
        """As hal.Net.tls: a connection to the TVS at (host, port); OSError where none runs, or where it is not accepted."""
        for place, (state, database) in enumerate(self._clusters):
            for number, node in enumerate(state.data["nodes"], 1):
                if (host, port) != tvs_address(node, number) or "tvs" in node["stopped"] or not has_tvs(state.data):
                    continue
                if place == 0 and self._reached is not None and number not in self._reached:
                    continue
                shown = state.loaded("tvs", number, f"tvs-{number}").der
                if not await accept(shown):
                    raise OSError(errno.EACCES, "certificate not accepted")
                return _Stream(shown, database, is_open(state.data))
        raise OSError(errno.ECONNREFUSED, "connection refused")


def tvs_address(node, number):
    """(address, port) of a node's TVS. A node that was never served gets a port that no other node of its address has."""
    return node["address"], node["ports"].get("tvs", TVS_PORT + number - 1)


class _Stream:
    """hal.Stream to a TVS that answers at once."""

    orderly = True

    def __init__(self, certificate, database, only_verification):
        self.peer_certificate = certificate
        self._database = database
        self._only_verification = only_verification
        self._answer = b""

    async def write(self, data, deadline):
        """One whole request."""
        _, _, command, _, session, length = struct.unpack_from(">BBBBIH", data)
        body = bytes(data[10 : 10 + length])
        answer, _ = tvs.respond(command, session, body, self._database, only_verification=self._only_verification)
        self._answer = answer or b""

    async def read_into(self, buffer, deadline):
        """Bytes of the answer; 0 where the server closed instead."""
        count = min(len(buffer), len(self._answer))
        buffer[:count] = self._answer[:count]
        self._answer = self._answer[count:]
        return count

    def close(self):
        """Do nothing: there is no socket."""
