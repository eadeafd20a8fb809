# SPDX-License-Identifier: MIT
"""Whole phones at the end of a bad line (host_tools/link): each protocol, with 1, 5 and 20 % of all packets lost, delayed,
doubled and reordered, in both directions."""

import functools
import json
import subprocess
import tempfile
import time
from pathlib import Path

from agent.trust.reasons import try_again
from host_tools.image import programs
from host_tools.lab.model.cluster import Cluster
from host_tools.link import Faults, Link, LinkError
from tests.helpers.lab.key_pool import PooledKeys
from tests.helpers.lab.phones import HostPhone, MicroPythonPhone, unpack_software
from tests.torture.tally import Tally

ROOT = Path(__file__).resolve().parents[2]
MAC = "00270DC01C92"
SHARES = (0.01, 0.05, 0.2)
PROTOCOLS = ("DHCP", "TFTP", "HTTP", "TVS over TLS", "CAPF over TLS")
#: s that one boot may take, whatever the line does: less than the phone's own budget of 180 s
BOUND = 150
#: boots until a phone has what it wants: a phone tries again by itself, after a pause that is left out here
TRIES = 6
LIVES = 60  # at most, for each share and kind of phone


class Wrong(Exception):
    """A phone did something that a bad line must not cause."""


def run(effort):
    """One line for each protocol, and a table of shares and phones."""
    tallies = {name: Tally(f"bad line: {name}") for name in PROTOCOLS}
    first = tallies[PROTOCOLS[0]]
    first.note = (
        f"loss, delay, doubling and reordering of 1, 5 and 20 % of all packets at once; bound {BOUND} s a boot."
    )
    first.rows = [("share", "phone", "lives", "packets", "lost", "boots", "of them done", "longest")]
    with tempfile.TemporaryDirectory(prefix="torture-") as folder:
        software = unpack_software(Path(folder) / "software")
        kinds = (HostPhone, functools.partial(MicroPythonPhone, software=software))
        each = effort.seconds / (len(SHARES) * len(kinds))
        for share in SHARES[2:] if effort.short else SHARES:
            for number, make in enumerate(kinds):
                try:
                    row = lives(tallies, make, share, effort.seed, each, Path(folder) / f"{share}-{number}")
                except LinkError as error:
                    first.lose(f"no line could be made: {error}")
                    return list(tallies.values())
                first.rows.append((f"{share:.0%}", *row))
    return list(tallies.values())


def lives(tallies, make, share, seed, seconds, folder):
    """Lives over one line until the seconds are over, at least one: a row of the table."""
    folder.mkdir()
    ends = time.monotonic() + seconds
    boots = []
    with Link(Faults.each(share, f"{seed} {folder.name}")) as link:
        cluster = Cluster.create(folder / "cluster", kind="classic", address=link.far.address, key_maker=PooledKeys())
        cluster.add_phone(MAC)
        with link.far:
            serving = cluster.serve(link.far.address)
        with serving:
            count = 0
            while not count or (time.monotonic() < ends and count < LIVES):
                count += 1
                life = Life(make, cluster, serving, link, boots)
                label = f"{share:.0%}, {life.phone.kind}, seed {seed}, life {count}"
                try:
                    for protocol, act in zip(PROTOCOLS, life.acts(), strict=True):
                        with tallies[protocol].case(f"{label}, {protocol}"):
                            act()
                finally:
                    life.phone.close()
    done = sum(good for good, _ in boots)
    longest = max(took for _, took in boots)
    kind = life.phone.kind
    return kind, count, link.counts["passed"], link.counts["lost"], len(boots), done, f"{longest:.1f} s"


class Life:
    """A phone that is new, and what it does over its line. boots: gets (whether all was accepted, seconds) of each boot."""

    def __init__(self, make, cluster, serving, link, boots):
        self.cluster, self.serving, self.link, self.boots = cluster, serving, link, boots
        self.phone = make(MAC)
        self.phone.waits = {"tftp_timeout": 300, "http_port": serving.port("http"), "https_port": serving.port("https")}

    def acts(self):
        """For each of PROTOCOLS what uses it, in an order in which each begins where the one before ended."""
        return self.learns_servers, self.first_boot, self.boots_by_http, self.asks_tvs, self.enrols

    def learns_servers(self):
        """DHCP names the TFTP server."""
        found = learned(self.link)
        assert found == [self.link.far.address], found
        self.phone.point_at([f"{found[0]}:{self.serving.tftp_port()}"])

    def first_boot(self):
        """TFTP alone, from a new flash."""
        self.phone.waits["file_transfer"] = "tftp"
        self.boot_until("first-use", "itl")

    def boots_by_http(self):
        """The configuration and the list by HTTP."""
        self.phone.waits["file_transfer"] = "http"
        self.boot_until("unchanged", "itl")

    def asks_tvs(self):
        """A list by a signer that only TVS knows."""
        self.cluster.regenerate("tftp")
        self.boot_until("vouched-by-tvs", "itl")

    def enrols(self):
        """A new certificate by CAPF."""
        self.cluster.set_capf(MAC, "install")
        self.boot_until("installed", "lsc")

    def boot_until(self, reason, kind):
        """Boot until the phone decided this; each boot within BOUND, and nothing refused but for what did not arrive."""
        seen = []
        for _ in range(TRIES):
            begun = time.monotonic()
            with self.link.near:
                decisions = self.phone.boot()
            took = time.monotonic() - begun
            wrong = [one for one in decisions if one["outcome"] != "accepted" and not try_again(one["reason"])]
            if wrong:
                raise Wrong([(one["kind"], one["reason"], one["text"]) for one in wrong])
            if took > BOUND:
                raise Wrong(f"a boot took {took:.0f} s")
            good = all(one["outcome"] == "accepted" for one in decisions)
            self.boots.append((good, took))
            seen += [(one["kind"], one["reason"]) for one in decisions]
            if good and (kind, reason) in seen:
                return
        raise Wrong(f"{TRIES} boots did not come to {kind} {reason}: {seen}")


def learned(link):
    """The TFTP servers that the board's own script writes after udhcpc asked dnsmasq over the line."""
    with tempfile.TemporaryDirectory(prefix="dhcp-") as name:
        folder = Path(name)
        (folder / "common").write_text(f"state={folder}\nip() {{ :; }}\nlog() {{ :; }}\n")
        script = folder / "script"
        script.write_text(
            (ROOT / "host_tools/image/rootfs/dhcp").read_text().replace("/etc/phone/common", f"{folder}/common")
        )
        script.chmod(0o755)
        with link.far:
            server = subprocess.Popen(
                [programs.find("dnsmasq"), "--no-daemon", "--conf-file=/dev/null", "--port=0", "--interface=far0"]
                + ["--bind-interfaces", "--no-ping", "--dhcp-range=192.0.2.10,192.0.2.20,255.255.255.0,1h"]
                + [f"--dhcp-option-force=150,{link.far.address}", f"--dhcp-leasefile={folder}/leases"],
                stdin=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        try:
            # As host_tools/image/rootfs/network has it, and once it has an address it ends; it asks until then.
            options = [
                "-i",
                "near0",
                "-s",
                script,
                "-t",
                "4",
                "-T",
                "2",
                "-A",
                "5",
                "-O",
                "66",
                "-O",
                "150",
                "-f",
                "-q",
            ]
            with link.near:
                subprocess.run(
                    [programs.find("busybox"), "udhcpc", *map(str, options)],
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    timeout=BOUND,
                )
        finally:
            server.terminate()
            server.wait()
        return json.loads((folder / "network.json").read_text())["option150"]
