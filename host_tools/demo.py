# SPDX-License-Identifier: MIT
"""`make run`: a lab cluster on loopback and a phone that boots against it, step by step, each with what must come out.

The phone is the boards' own program under MicroPython for arm64, with its flash in a file. Every boot is a process of
its own, so what it knows the second time it has read from flash. Exit status 1 where a boot ends other than told.
"""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from pathlib import Path

from rich.console import Console
from rich.text import Text

from host_tools.image.software import collect
from host_tools.lab.cluster import Cluster

ROOT = Path(__file__).resolve().parent.parent
MICROPYTHON = ROOT / "host_tools/setup/micropython"
HEAP = "512k"  # ours is enough for lists of 64 KB
MAC = "00270DC01C92"
CONFIGURATION = f"SEP{MAC}.cnf.xml.sgn"
FLASH_SIZE = 1 << 20
BOOT_LIMIT = 60  # seconds
DECISION = re.compile(r"\[ *[\d.]+\] +\w+ +(?P<kind>\S+) (accepted|refused) (?P<reason>\S+):")
READY = "ready; type help"
STYLES = {"error": "red", "warning": "yellow", "notice": "green", "info": "dim"}


class Phone:
    """The demonstration's phone: the software of the image, its settings, its flash file, and boots of it."""

    def __init__(self, folder, console):
        self.folder = folder
        self.console = console
        self.servers = []
        self.software = folder / "software"
        for name, content in collect(ROOT)[0].items():
            path = self.software / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        (folder / "store").write_bytes(bytes(FLASH_SIZE))  # blank: a phone fresh from the factory

    def boot(self):
        """Boot it once and show its console, until it is ready for commands. {kind: reason} of its decisions."""
        settings = {"mac": MAC, "model": "8861", "tftp": self.servers, "tvs_timeout": 2000}
        (self.folder / "phone.json").write_text(json.dumps(settings))
        environment = {
            **os.environ,
            "MICROPYPATH": str(self.software),
            "PHONETRUST_LIBRARY": str(self.software / "libphonetrust.so"),
        }
        process = subprocess.Popen(
            [str(MICROPYTHON), "aarch64", "-X", f"heapsize={HEAP}", "-m", "phone", str(self.folder)],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        patience = threading.Timer(BOOT_LIMIT, process.kill)
        patience.start()
        decisions, ready = {}, False
        with process, contextlib.closing(process.stdout):
            for line in process.stdout:
                self.show(line.rstrip("\n"))
                if found := DECISION.match(line):
                    decisions[found["kind"]] = found["reason"]
                if READY in line:
                    ready = True
                    process.terminate()
                    break
        patience.cancel()
        if not ready:
            raise DemoError(f"the phone ended with status {process.returncode} before its boot did")
        return decisions

    def show(self, line):
        """One line of the phone's console, indented and coloured by its severity."""
        words = line.split()
        severity = next((word for word in words[:4] if word in STYLES), "info")
        width = max(60, self.console.width - 6)
        for part in textwrap.wrap(
            line, width, subsequent_indent=" " * 21, break_long_words=False, break_on_hyphens=False
        ) or [""]:
            self.console.print(Text("    | ", "blue") + Text(part, STYLES[severity]))


class DemoError(Exception):
    """A boot went other than told; the text says how."""


class Demo:
    """The steps. Each says what happens, lets it happen and compares."""

    def __init__(self, folder, console):
        self.folder = folder
        self.console = console
        self.phone = Phone(folder, console)
        self.count = 0

    def step(self, title):
        """A heading."""
        self.count += 1
        self.console.print(f"\n[bold]{self.count}. {title}[/]")

    def boot(self, **expected):
        """Boot the phone and insist on the reasons. The keywords are itl, ctl and configuration."""
        start = time.monotonic()
        found = self.phone.boot()
        took = time.monotonic() - start
        found["configuration"] = found.get(CONFIGURATION)
        wrong = {kind: found.get(kind) for kind, reason in expected.items() if found.get(kind) != reason}
        told = ", ".join(f"{kind} {reason}" for kind, reason in expected.items())
        if wrong:
            raise DemoError(f"expected {told}, but found {wrong}")
        self.console.print(f"    [green]as it must be:[/] [bold]{told}[/] ({took:.1f} s)")

    def run(self):
        """All steps, in order."""
        self.step("A cluster is made: keys, certificates, trust list (ITL), the phone's signed configuration")
        cluster = Cluster.create(self.folder / "cluster", name="lab")
        cluster.add_phone(MAC)
        foreign = Cluster.create(self.folder / "foreign", name="foreign")
        foreign.add_phone(MAC)
        with cluster.serve() as serving:
            self.phone.servers = [f"127.0.0.1:{serving.tftp_port()}"]
            self.console.print(
                f"    serving on loopback: TFTP on port {serving.tftp_port()}, TVS (trust verification) on port "
                f"{serving.tvs_port()}"
            )
            self.step("The phone boots for the first time: it knows nobody and believes the first ITL it gets")
            self.boot(itl="first-use", configuration="signed-by-itl")

            self.step("It boots again: the same ITL, read back from flash and compared")
            self.boot(itl="unchanged", configuration="signed-by-itl")

            self.step(
                "The cluster's TFTP certificate is regenerated: the phone does not know the new signer and asks TVS"
            )
            cluster.regenerate("tftp")
            self.boot(itl="vouched-by-tvs", configuration="signed-by-itl")

            self.step("TVS is stopped, and another cluster's TFTP server offers its own ITL and configuration")
            serving.stop_tvs()
            with foreign.serve() as other:
                self.phone.servers = [f"127.0.0.1:{other.tftp_port()}"]
                self.boot(itl="tvs-unreachable", configuration="tvs-unreachable")

            self.step("Back at its own cluster, TVS still down: the refused ITL has left no trace")
            self.phone.servers = [f"127.0.0.1:{serving.tftp_port()}"]
            self.boot(itl="unchanged", configuration="signed-by-itl")


def main():
    """Run the demonstration in a folder of its own. The exit status."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=110)
    console.print("[bold]phonetrust[/]: a phone (arm64 MicroPython, emulated Cortex-A53) and its cluster, on loopback")
    folder = Path(tempfile.mkdtemp(prefix="phonetrust-demo-"))
    start = time.monotonic()
    try:
        Demo(folder, console).run()
    except DemoError as error:
        console.print(f"\n[red]The demonstration failed:[/] {error}")
        return 1
    except KeyboardInterrupt:
        console.print("\nstopped")
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    console.print(f"\nAll steps went as they must, in {time.monotonic() - start:.0f} s.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
