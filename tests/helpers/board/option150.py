# SPDX-License-Identifier: MIT
"""A private network with dnsmasq for DHCP, a lab cluster on port 69, and a board on a tap device.

Run it inside a network namespace:
unshare --net --pid --fork --map-root-user python -m tests.helpers.board.option150 CARD FOLDER OPTION
where OPTION is 150 or 66. The board's console goes to standard output until it is ready; exit status 0 then.
"""

import contextlib
import pathlib
import subprocess
import sys

from host_tools.board import card as cards
from host_tools.board.emulator import Emulator
from host_tools.console import port, session
from host_tools.image import board as boards
from host_tools.image import programs
from host_tools.lab.model.cluster import Cluster

PC = "192.0.2.1"
MAC = "00270DC01C92"


class TapEmulator(Emulator):
    """An emulated board on the tap device phone0 instead of QEMU's user network."""

    def command(self):
        found = super().command()
        at = found.index("-netdev")
        found[at + 1] = "tap,id=net0,ifname=phone0,script=no,downscript=no"
        return found


def main(card, folder, option):
    """Run it; returns the exit status."""
    for words in (
        "tuntap add dev phone0 mode tap", f"address add {PC}/24 dev phone0", "link set phone0 up", "link set lo up"
    ):  # fmt: skip
        programs.run("ip", *words.split())
    # The first server of option 150 does not answer, so the board must use the second.
    told = {"150": f"150,192.0.2.77,{PC}", "66": f"66,{PC}"}[option]
    cards.change_settings(card, {"mac": MAC, "tftp_timeout": 300, "tftp_attempts": 2})
    cluster = Cluster.create(folder / "cluster", address=PC)
    cluster.add_phone(MAC)
    emulator = TapEmulator(boards.load("qemu-virt"), card, folder, MAC)
    with contextlib.ExitStack() as stack:
        log = stack.enter_context(open(folder / "dnsmasq.log", "wb"))
        dnsmasq = subprocess.Popen([
            programs.find("dnsmasq"), "--no-daemon", "--conf-file=/dev/null", "--port=0", "--interface=phone0",
            "--bind-interfaces", "--dhcp-range=192.0.2.10,192.0.2.20,255.255.255.0,1h", f"--dhcp-option-force={told}",
            f"--dhcp-leasefile={folder}/leases",
        ], stdin=subprocess.DEVNULL, stdout=log, stderr=log)  # fmt: skip
        stack.callback(dnsmasq.wait)
        stack.callback(dnsmasq.terminate)
        stack.enter_context(cluster.serve(PC, ports={1: {"tftp": 69}}))
        stack.callback(emulator.stop)
        emulator.start()
        found = session.run(
            lambda: port.open_port(str(emulator.console)), session.Printer([sys.stdout], timestamps=False),
            lambda: b"", until="ready; type help", timeout=90,
        )  # fmt: skip
    return 0 if found else 1


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]))
