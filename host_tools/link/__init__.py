# SPDX-License-Identifier: MIT
"""A network of two ends on this machine, with the delay and the faults of a bad line between them.

    with Link(Faults(delay=0.02)) as link:       # 40 ms there and back
        with link.far:
            server = start(link.far.address)     # sockets and programs begun here are at the far end
        with link.near:
            fetch(link.far.address)

Each end is a network namespace with a TAP device. A process of ours (relay.py) carries the packets that programs send at one
end to the other. The kernel's netem could do this, but many kernels are built without it. It needs root on Linux."""

from host_tools.link.link import Link
from host_tools.link.namespace import LinkError, Namespace
from host_tools.link.relay import Faults

__all__ = ["Faults", "Link", "LinkError", "Namespace"]
