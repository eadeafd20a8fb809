# SPDX-License-Identifier: MIT
"""phonetrust board: which boards there are, and one of them emulated, beside a lab cluster on loopback."""

import contextlib
import fcntl
import json as json_text
import pathlib
import shutil
import signal
import sys
from typing import Annotated

import typer

from host_tools.board import card as cards
from host_tools.board import emulator
from host_tools.board import sip as sips
from host_tools.console import port, session
from host_tools.console.keyboard import Keyboard
from host_tools.image import board as boards
from host_tools.image.command_parts import plain_errors
from host_tools.image.commands import default_image
from host_tools.image.errors import ImageError

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Boards: list them, run one in QEMU.")


@app.command("list")
@plain_errors
def list_boards(json: Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")] = False):
    """The boards that images can be built for."""
    found = [boards.load(name) for name in boards.names()]
    if json:
        facts = [
            {"name": board.name, "title": board.board.title, "emulated": board.qemu is not None} for board in found
        ]
        typer.echo(json_text.dumps(facts))
        return
    for board in found:
        image = default_image(board.name)
        emulated = "real or in QEMU" if board.boot.firmware and board.qemu else "in QEMU" if board.qemu else "real"
        built = image if image.exists() else "no image yet"
        typer.echo(f"{board.name:<10} {board.board.title:<16} {emulated:<16} {built}")


@app.command()
@plain_errors
def run(
    board: Annotated[str, typer.Argument(help="The board to emulate.")],
    image: Annotated[pathlib.Path | None, typer.Option(help="Its image, if not the one in build/image.")] = None,
    cluster: Annotated[
        pathlib.Path | None, typer.Option(help="The lab cluster's folder; made where there is none.")
    ] = None,
    keep_card: Annotated[
        bool,
        typer.Option(
            "--keep-card", help="Boot the card of the last run, with what the phone stored, beside that cluster."
        ),
    ] = False,
    mac: Annotated[str, typer.Option(help="The board's MAC address, 12 hexadecimal digits.")] = emulator.DEFAULT_MAC,
    sip: Annotated[
        bool,
        typer.Option(
            "--sip",
            help="Build an image with a SIP phone beside the agent, and boot it against a cluster in mixed mode with a call "
            "manager: it enrols and registers by mutual TLS.",
        ),
    ] = False,
    until: Annotated[str | None, typer.Option(help="End with status 0 when this text is seen.")] = None,
    timeout: Annotated[
        float | None, typer.Option(help="End after so many seconds; status 1 if --until still waits.")
    ] = None,
    log: Annotated[pathlib.Path | None, typer.Option(help="Append what is shown to this file.")] = None,
    no_console: Annotated[
        bool,
        typer.Option("--no-console", help="Leave the console to `phonetrust console BOARD`, and run until Ctrl-C."),
    ] = False,
):
    """Boot the image of BOARD in QEMU against a lab cluster on loopback and show its console; Ctrl-] powers it off."""
    described = boards.load(board)
    source = image or (sips.image(described) if sip else default_image(board))
    if not source.exists():
        raise ImageError(f"{source}: is not there; `phonetrust image build {board}` builds it")
    folder = port.RUNNING / board
    card = folder / "card.img"
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the board ends with us
    with contextlib.ExitStack() as stack:
        stack.enter_context(_only_one(folder))
        if not keep_card or not card.exists():
            emulator.insert_card(source, card)
            if cluster is None:  # a new phone meets a new cluster
                shutil.rmtree(folder / _name(sip), ignore_errors=True)
        outputs = [sys.stdout]
        if log:
            outputs.append(stack.enter_context(open(log, "a", encoding="utf-8")))
        printer = session.Printer(outputs)
        tftp = stack.enter_context(_cluster(cluster or folder / _name(sip), mac, printer if sip else None))
        cards.change_settings(card, {"mac": mac, "tftp": [f"{emulator.PC_ADDRESS}:{tftp}"]})
        emulated = emulator.Emulator(described, card, folder, mac)
        stack.callback(emulated.stop)
        emulated.start()
        ends = "Ctrl-C" if no_console else "Ctrl-]"
        printer.note(f"{described.board.title} in QEMU, the cluster's TFTP server on port {tftp}; {ends} powers it off")
        if no_console:
            emulated.running.wait()
            return
        keyboard = stack.enter_context(Keyboard())

        def keys():
            return None if emulated.running.poll() is not None else keyboard()

        found = session.run(lambda: port.open_port(str(emulated.console)), printer, keys, until, timeout)
    if until and not found:
        raise typer.Exit(1)


@contextlib.contextmanager
def _only_one(folder):
    """Let only one emulated board of a kind run: two would share card and console."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ImageError(f"{folder.name} runs already; `phonetrust console {folder.name}` shows it") from None
        yield


def _name(sip):
    return "sip-cluster" if sip else "cluster"


@contextlib.contextmanager
def _cluster(path, mac, printer=None):
    """Serve the lab cluster in `path` on the PC's loopback, under the address that the board sees -> its TFTP port.

    printer: reports what happens at CAPF and the call manager. With it both run, and a new cluster is in mixed mode."""
    from host_tools.lab.errors import LabError
    from host_tools.lab.model.cluster import Cluster

    try:
        if path.exists():
            found = Cluster(path)
        else:
            found = Cluster.create(path, mixed=printer is not None, address=emulator.PC_ADDRESS)
        found.add_phone(mac)
        if printer is not None:
            sips.prepare(found, mac)

        def tell(event):
            text = sips.words(event)
            if text and printer is not None:
                printer.note(text)

        with found.serve("127.0.0.1", sip=printer is not None, listener=tell if printer else None) as serving:
            yield serving.tftp_port()
    except LabError as error:
        raise ImageError(str(error)) from error


if __name__ == "__main__":
    app()
