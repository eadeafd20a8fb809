# SPDX-License-Identifier: MIT
"""A boot with nothing changed: how many packets it takes, and that it writes nothing to flash."""

import tempfile
from pathlib import Path

from agent.fetch.tftp.client import WINDOW
from host_tools.bench import phone_boot
from host_tools.bench.measure import Line
from host_tools.lab.model.cluster import Cluster
from host_tools.lab.servers.daemons import Atftpd


def fewest(sizes):
    """Packets, both directions, that TFTP needs to tell: for a name that is not there the request and the error; for a file
    the request, the server's options, ACK 0, the blocks, and an ACK for each window."""
    packets = 0
    for name in phone_boot.asked_for():
        if name not in sizes:
            packets += 2
        else:
            count = phone_boot.blocks(sizes[name])
            packets += 3 + count + -(-count // WINDOW)
    return packets


def lines():
    """The second start of a phone in a mixed cluster; the servers are atftpd's."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        cluster = Cluster.create(folder / "cluster", mixed=True)
        cluster.add_phone(phone_boot.MAC)
        sizes = phone_boot.publish(cluster, folder / "files")
        with Atftpd(folder / "files") as server:
            phone = phone_boot.BootedPhone(folder, server.address)
            if not phone.boot():
                raise RuntimeError(f"the first boot went wrong: {phone.reasons}")
            phone.reset()
            if not phone.boot() or phone.reasons[:2] != ["unchanged", "unchanged"]:
                raise RuntimeError(f"the second boot went wrong: {phone.reasons}")
        packets, writes = phone.counts["packets"] + phone.counts["connections"], phone.counts["writes"]
    yield Line(
        "boot with nothing changed: packets", packets, "packets", fewest(sizes), 1.1,
        f"CTL, ITL and configuration of {sum(sizes.values()) / 1e3:.0f} KB from atftpd, both directions; other: the fewest that "
        "TFTP needs to hand over the three files and to say that the phone has no lists of its own", 7,
    )  # fmt: skip
    yield Line(
        "boot with nothing changed: flash", writes, "writes", None, 0, "writes to the store, the file's included", 7
    )
