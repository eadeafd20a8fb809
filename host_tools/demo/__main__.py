# SPDX-License-Identifier: MIT
"""`make run`: a lab cluster on loopback and a phone that boots against it, step by step, each with what must come out.

Every boot starts from power-on, so what the phone knows the second time it has read from flash. Exit status 1 where
a boot ends other than told, 2 where the phone or the cluster cannot be made.
"""

import argparse
import re
import shutil
import sys
import tempfile
import textwrap
import time
from pathlib import Path

from rich.console import Console
from rich.text import Text

from host_tools.demo.phones import KINDS, MAC
from host_tools.image.errors import ImageError
from host_tools.lab.errors import LabError
from host_tools.lab.model.cluster import Cluster

CONFIGURATION = f"SEP{MAC}.cnf.xml.sgn"
DECISION = re.compile(r"\[ *[\d.]+\] +\w+ +(?P<kind>\S+) (accepted|refused) (?P<reason>\S+):")
READY = "ready; type help"
STYLES = {"error": "red", "warning": "yellow", "notice": "green", "info": "dim"}


class DemoError(Exception):
    """A boot went other than told; the text says how."""


class Demo:
    """The steps. Each says what happens, lets it happen and compares."""

    def __init__(self, kind, folder, console):
        self.folder = folder
        self.screen = console
        self.screen.print(f"[bold]phonetrust[/]: {kind.title}, and its cluster, on loopback\n")
        self.phone = kind(folder, lambda text: self.screen.print(f"    {text} ...", style="dim"))
        self.servers = []
        self.count = 0

    def step(self, title):
        """A heading."""
        self.count += 1
        self.screen.print(f"\n[bold]{self.count}. {title}[/]")

    def boot(self, **expected):
        """Boot the phone and insist on the reasons. The keywords are itl and configuration."""
        start = time.monotonic()
        found, ready = {}, False
        with self.phone.console(self.servers) as lines:
            for line in lines:
                self.show("".join(letter for letter in line if letter.isprintable() and letter != "\ufffd"))
                if decision := DECISION.search(line):
                    kind = "configuration" if decision["kind"] == CONFIGURATION else decision["kind"]
                    found[kind] = decision["reason"]
                if READY in line:
                    ready = True
                    break
        if not ready:
            raise DemoError("the phone did not get ready")
        told = ", ".join(f"{kind} {reason}" for kind, reason in expected.items())
        wrong = {kind: found.get(kind) for kind, reason in expected.items() if found.get(kind) != reason}
        if wrong:
            raise DemoError(f"expected {told}, but found {wrong}")
        self.screen.print(f"    [green]as it must be:[/] [bold]{told}[/] ({time.monotonic() - start:.1f} s)")

    def show(self, line):
        """One line of the phone's console, indented and coloured by its severity."""
        words = line.split()
        severity = next((word for word in words[:4] if word in STYLES), "info")
        width = max(60, self.screen.width - 6)
        for part in textwrap.wrap(
            line, width, subsequent_indent=" " * 21, break_long_words=False, break_on_hyphens=False
        ) or [""]:
            self.screen.print(Text("    | ", "blue") + Text(part, STYLES[severity]))

    def run(self):
        """All steps, in order."""
        self.step("A cluster is made: keys, certificates, trust list (ITL), the phone's signed configuration")
        cluster = Cluster.create(self.folder / "cluster", name="lab", address=self.phone.address)
        cluster.add_phone(MAC)
        foreign = Cluster.create(self.folder / "foreign", name="foreign", address=self.phone.address)
        foreign.add_phone(MAC)
        with cluster.serve() as serving:
            self.servers = [f"{self.phone.address}:{serving.tftp_port()}"]
            self.screen.print(
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
                self.servers = [f"{self.phone.address}:{other.tftp_port()}"]
                self.boot(itl="tvs-unreachable", configuration="tvs-unreachable")

            self.step("Back at its own cluster, TVS still down: the refused ITL has left no trace")
            self.servers = [f"{self.phone.address}:{serving.tftp_port()}"]
            self.boot(itl="unchanged", configuration="signed-by-itl")


def main():
    """Run the demonstration in a folder of its own. The exit status."""
    parser = argparse.ArgumentParser(prog="demo", description="A phone and its cluster, step by step.")
    parser.add_argument("phone", nargs="?", choices=KINDS, default="board", help="which phone boots (default: board)")
    kind = KINDS[parser.parse_args().phone]
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=110)
    folder = Path(tempfile.mkdtemp(prefix="phonetrust-demo-"))
    start = time.monotonic()
    try:
        Demo(kind, folder, console).run()
    except DemoError as error:
        console.print(f"\n[red]The demonstration failed:[/] {error}")
        return 1
    except (ImageError, LabError) as error:
        console.print(f"\n[red]The demonstration cannot start:[/] {error}")
        return 2
    except KeyboardInterrupt:
        console.print("\nstopped")
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    console.print(f"\nAll steps went as they must, in {time.monotonic() - start:.0f} s.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
