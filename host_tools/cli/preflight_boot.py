# SPDX-License-Identifier: MIT
"""`phonetrust preflight --boot FOLDER`: one boot of a phone over the files of a TFTP server, by the phone's own steps."""

import asyncio
import re

import typer
from rich.console import Console
from rich.markup import escape

from agent.errors import SettingsError
from host_tools.cli import parts
from host_tools.trial.phone import TrialPhone, phone_settings

_OF_PHONE = re.compile(r"(?:ITL|CTL)?SEP([0-9A-F]{12})\\.")
NOBODY = "000000000000"


def run(folder, held, asker, mac, json):
    """Judge and print. held: preflight.Held. Leaves with the exit status of the whole boot."""
    files = read(folder)
    try:
        settings = phone_settings(
            mac or only_phone(folder, files),
            policy=held.policy,
            size_limit=held.size_limit,
            refuse_weak=held.refuse_weak,
            replay=held.replay,
        )
    except SettingsError as error:
        parts.leave(parts.CANNOT_TELL, f"--phone: {error}")
    phone = TrialPhone(settings, held.crypto, files, asker, held.itl, held.ctl)
    decisions = asyncio.run(phone.run())
    good = all(decision.accepted for decision in decisions)
    if json:
        steps = [decision.as_dict() for decision in decisions]
        parts.print_json({"device": settings.device, "accepted": good, "mode": phone.trust.mode, "decisions": steps})
    else:
        show(settings.device, decisions, phone)
    raise typer.Exit(parts.YES if good else parts.NO)


def read(folder):
    """The files of a folder, by the names under which a TFTP server has them."""
    if not folder.is_dir():
        parts.leave(parts.CANNOT_TELL, f"{folder}: --boot needs the folder of a TFTP server")
    return {str(path.relative_to(folder)): parts.read(path) for path in sorted(folder.rglob("*")) if path.is_file()}


def only_phone(folder, files):
    """The MAC address of the one phone that the files are for; any where they are for no phone in particular."""
    found = {match[1] for name in files if (match := _OF_PHONE.match(name))}
    if len(found) > 1:
        shown = ", ".join(sorted(found)[:8])
        parts.leave(parts.CANNOT_TELL, f"{folder}: has files of several phones ({shown}); name one with --phone MAC")
    return found.pop() if found else NOBODY


def show(device, decisions, phone):
    """The decisions for a person."""
    console = Console()
    console.print(f"[bold]{device}[/] would boot so:", highlight=False)
    for decision in decisions:
        colour = "green" if decision.accepted else "red"
        console.print(
            f"  {escape(decision.kind):32} [bold {colour}]{decision.outcome}[/] {decision.reason}", highlight=False
        )
        console.print(f"      {escape(decision.text)}", highlight=False)
        for warning in decision.warnings:
            console.print(f"      [yellow]Warning:[/] {escape(warning)}")
    console.print(f"The phone is then in {phone.trust.mode} mode.", highlight=False)
