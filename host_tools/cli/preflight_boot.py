# SPDX-License-Identifier: MIT
"""`phonetrust preflight --boot FOLDER` and `--from HOST`: one boot of a phone, by the phone's own steps, and how it is shown."""

import asyncio
import re

import typer
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding

from agent.errors import SettingsError
from agent.formats.text import SENTENCES_LIMIT, shown
from host_tools.cli import parts
from host_tools.trial.phone import TrialPhone, phone_settings

_OF_PHONE = re.compile(r"(?:ITL|CTL)?SEP([0-9A-F]{12})\.")
NOBODY = "000000000000"


def run(source, held, asker, mac, json, live=False, web=None, html=None):
    """Judge and print. source: a folder, or live: the host whose servers are asked. held: preflight.Held. html: a file to
    write a page to, or None. Leaves with the exit status of the whole boot."""
    if live:
        from host_tools.cli import preflight_live

        result = preflight_live.run(source, held, asker, mac, web or {})
    else:
        result = _on_paper(source, held, asker, mac)
    if html is not None:
        write_page(html, result)
    if json:
        parts.print_json(result)
    else:
        show(result)
    if not result.get("reached", True):
        raise typer.Exit(parts.CANNOT_TELL)
    raise typer.Exit(parts.YES if result["accepted"] else parts.NO)


def _on_paper(folder, held, asker, mac):
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
    steps = [decision.as_dict() for decision in decisions]
    return {"device": settings.device, "accepted": good, "mode": phone.trust.mode, "decisions": steps}


def write_page(path, result):
    """The page about a result; leaves with a sentence where it cannot be written."""
    from host_tools.report import trust_page

    try:
        path.write_text(trust_page.page(result), encoding="utf-8")
    except OSError as error:
        parts.leave(parts.CANNOT_TELL, f"{path}: {error.strerror or error}")


def read(folder):
    """The files of a folder, by the names under which a TFTP server has them."""
    if not folder.is_dir():
        parts.leave(parts.CANNOT_TELL, f"{folder}: --boot needs the folder of a TFTP server")
    return {str(path.relative_to(folder)): parts.read(path) for path in sorted(folder.rglob("*")) if path.is_file()}


def only_phone(folder, files):
    """The MAC address of the one phone that the files are for; NOBODY where no file names a phone."""
    found = {match[1] for name in files if (match := _OF_PHONE.match(name))}
    if len(found) > 1:
        shown = ", ".join(sorted(found)[:8])
        parts.leave(parts.CANNOT_TELL, f"{folder}: has files of several phones ({shown}); name one with --phone MAC")
    return found.pop() if found else NOBODY


def show(result):
    """The result for a person: each decision with who signed, where the phone looked and what it found."""
    console = Console()
    console.print(f"[bold]{result['device']}[/] would boot so:", highlight=False)
    for decision in result["decisions"]:
        colour = "green" if decision["outcome"] == "accepted" else "red"
        console.print(
            f"  {escape(shown(decision['kind'])):32} [bold {colour}]{decision['outcome']}[/] {decision['reason']}",
            highlight=False,
        )
        console.print(Padding(escape(shown(decision["text"], SENTENCES_LIMIT)), (0, 0, 0, 6)), highlight=False)
        for warning in decision["warnings"]:
            console.print(f"      [yellow]Warning:[/] {escape(shown(warning, SENTENCES_LIMIT))}")
    console.print(f"The phone is then in {result['mode']} mode.", highlight=False)
