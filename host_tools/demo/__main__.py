# SPDX-License-Identifier: MIT
"""`make run`: a lab cluster on loopback and a phone that boots against it, step by step. Each boot is checked.

Every boot starts from power-on, so the phone knows only what it reads from its flash. Exit status 1 where a boot ends
otherwise than it must, 2 where the phone or the cluster cannot be made.
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
from host_tools.demo.picture import Picture
from host_tools.image.errors import ImageError
from host_tools.lab.errors import LabError
from host_tools.lab.model.cluster import Cluster

CONFIGURATION = f"SEP{MAC}.cnf.xml.sgn"
DECISION = re.compile(r"\[ *[\d.]+\] +\w+ +(?P<kind>\S+) (?P<outcome>accepted|refused) (?P<reason>\S+): (?P<text>.+)")
STATE = re.compile(r"\[ *[\d.]+\] +\w+ +state (.+)")
SUBJECTS = {"itl": "trust list (ITL)", "configuration": "configuration"}
READY = "ready; type help"
UPDATE_LIMIT = 900  # seconds for the last scene: an emulated board fetches and writes its load slowly
STYLES = {"error": "red", "warning": "yellow", "notice": "green", "info": "dim"}


class DemoError(Exception):
    """A boot ended otherwise than it must; the text says how."""


class Demo:
    """The steps. Each says what happens, lets it happen and compares."""

    def __init__(self, kind, folder, console):
        self.folder = folder
        self.picture = Picture()
        self.screen = console
        self.screen.print(f"[bold]phonetrust[/]: {kind.title}, and its cluster, on loopback\n")
        self.phone = kind(folder, lambda text: self.screen.print(f"    {text} ...", style="dim"))
        self.servers = []
        self.count = 0

    def step(self, title, picture=True):
        """A heading; picture: whether the picture has it, too."""
        self.count += 1
        self.screen.print(f"\n[bold]{self.count}. {title}[/]")
        if picture:
            self.picture.step(self.count, title)

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
                    if kind in expected:
                        why = decision["text"].strip() if kind == "itl" else ""  # the same holds for the configuration
                        accepted = decision["outcome"] == "accepted"
                        self.picture.decision(SUBJECTS[kind], accepted, decision["reason"], why)
                if state := STATE.search(line):
                    self.picture.state(state[1].strip())
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

    def update(self, cluster):
        """The last scene, where the phone can replace its software: the cluster names a newer load, and the phone runs it."""
        found = self.phone.next_load()
        if found is None:
            return
        file, name = found
        self.step(
            f"The cluster names a newer load, {name}. The phone fetches it, tries it, and keeps it", picture=False
        )
        cluster.add_load(file)
        cluster.set_load("all", name)
        start = time.monotonic()
        reasons = []
        with self.phone.console(self.servers, UPDATE_LIMIT) as lines:
            for line in lines:
                self.show("".join(letter for letter in line if letter.isprintable() and letter != "\ufffd"))
                if (decision := DECISION.search(line)) and decision["kind"] == "load":
                    reasons.append(decision["reason"])
                    if reasons[-1] != "load-installed":
                        break
        if reasons != ["load-installed", "load-confirmed"]:
            raise DemoError(f"expected load-installed, load-confirmed, but found {reasons or 'nothing about loads'}")
        took = time.monotonic() - start
        self.screen.print(f"    [green]as it must be:[/] [bold]load-installed, load-confirmed[/] ({took:.1f} s)")

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
        self.step("A cluster is made: keys, certificates, a trust list (ITL) and a signed configuration")
        cluster = Cluster.create(self.folder / "cluster", kind="classic", name="lab", address=self.phone.address)
        cluster.add_phone(MAC)
        foreign = Cluster.create(self.folder / "foreign", name="foreign", address=self.phone.address)
        foreign.add_phone(MAC)
        with cluster.serve() as serving:
            self.servers = [f"{self.phone.address}:{serving.tftp_port()}"]
            self.screen.print(
                f"    serving on loopback: TFTP on port {serving.tftp_port()}, TVS (trust verification) on port "
                f"{serving.tvs_port()}"
            )
            self.step("The phone boots for the first time. It knows nobody yet and believes the first list")
            self.boot(itl="first-use", configuration="signed-by-itl")

            self.step("It boots again and compares the list with the one on its flash")
            self.boot(itl="unchanged", configuration="signed-by-itl")

            self.step(
                "The cluster renews its TFTP certificate. The phone does not know the new signer and asks the trust "
                "verification service (TVS)"
            )
            cluster.regenerate("tftp")
            self.boot(itl="vouched-by-tvs", configuration="signed-by-itl")

            self.step("TVS is down, and a foreign TFTP server offers a list and a configuration of its own")
            serving.stop_tvs()
            with foreign.serve() as other:
                self.servers = [f"{self.phone.address}:{other.tftp_port()}"]
                self.boot(itl="tvs-unreachable", configuration="tvs-unreachable")

            self.step("Back at its own cluster: the refused list has left no trace")
            self.servers = [f"{self.phone.address}:{serving.tftp_port()}"]
            self.boot(itl="unchanged", configuration="signed-by-itl")
            self.update(cluster)


def main():
    """Run the demonstration in a folder of its own. The exit status."""
    parser = argparse.ArgumentParser(prog="demo", description="A phone and its cluster, step by step.")
    parser.add_argument("phone", nargs="?", choices=KINDS, default="board", help="which phone boots (default: board)")
    parser.add_argument("--picture", type=Path, help="write the steps and decisions as an SVG to this file")
    arguments = parser.parse_args()
    kind = KINDS[arguments.phone]
    if arguments.picture and not arguments.picture.parent.is_dir():
        parser.error(f"{arguments.picture.parent} is no folder")  # told before the run, not after it
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=110)
    folder = Path(tempfile.mkdtemp(prefix="phonetrust-demo-"))
    start = time.monotonic()
    try:
        demo = Demo(kind, folder, console)
        demo.run()
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
    if arguments.picture:
        demo.picture.save(arguments.picture)
        console.print(f"{arguments.picture} is a picture of it.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
