# SPDX-License-Identifier: MIT
"""`phonetrust diff A B`: what differs between two trust lists or two folders, and what it means for phones that hold A."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from agent.formats.text import shown
from host_tools.cli import parts, preflight_boot

_SIGNS = {"added": ("green", "+"), "removed": ("red", "-")}
_COLOURS = {"accepted": "green", "refused": "red", "asks-tvs": "yellow"}


def diff(
    old: Annotated[Path, typer.Argument(metavar="A", help="A trust list that phones hold, or a folder of files.")],
    new: Annotated[Path, typer.Argument(metavar="B", help="The list or folder that they will be offered.")],
    json: Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")] = False,
):
    """Show what differs between two trust lists, or between two folders of files for phones.

    Certificates are added, removed, renewed (same subject, another key), re-signed (same key, another certificate), or
    have other roles or hosts. For each list the output also says what phones that hold A's list do when they are offered B's:
    they accept it, refuse it, or ask a TVS server about it.

    [bold]Examples[/]

      phonetrust diff old/ITLFile.tlv new/ITLFile.tlv
      phonetrust diff old-folder new-folder
      phonetrust diff old-folder new-folder --json

    [bold]Files[/]

    Two trust lists, or two folders such as [bold]phonetrust fetch[/] makes. They are only read. In folders, files of one name
    are compared; a damaged file is reported, and the others are compared.

    [bold]Exit status[/]

    0 nothing differs, 1 something does, 2 a file cannot be read or is no trust list.
    """
    from host_tools.lists import compare

    if old.is_dir() != new.is_dir():
        parts.leave(parts.CANNOT_TELL, f"{old} and {new}: compare two files, or two folders")
    crypto = parts.host_crypto()
    if old.is_dir():
        items = compare.compare_folders(preflight_boot.read(old), preflight_boot.read(new), crypto)
    else:
        contents = [parts.read(path) for path in (old, new)]
        for path, content in zip([old, new], contents, strict=True):
            if (why := compare.no_list(content)) is not None:
                parts.leave(parts.CANNOT_TELL, f"{path}: this is no trust list: {why}")
        same = contents[0] == contents[1]
        items = (
            []
            if same
            else [{"file": new.name, "change": "changed", **compare.compare_files(contents[0], contents[1], crypto)}]
        )
    if json:
        parts.print_json({"a": str(old), "b": str(new), "same": not items, "files": items})
    else:
        _print(items, Console(highlight=False))
    if any("error" in item for item in items):
        raise typer.Exit(parts.CANNOT_TELL)
    raise typer.Exit(parts.NO if items else parts.YES)


app = parts.single(diff)


def _print(items, console):
    if not items:
        console.print("Nothing differs.")
    for item in items:
        console.print(f"[bold]{_text(item['file'])}[/] {item['change']}")
        if "error" in item:
            console.print(f"  [red]cannot be compared:[/] {_text(item['error'])}")
        if "signer" in item:
            before, after = item["signer"]
            console.print("  signed as before" if before == after else f"  signer {_text(before)}, now {_text(after)}")
        if "list" in item:
            _print_list(item["list"], console)
        if item.get("phones"):
            phones = item["phones"]
            colour = _COLOURS[phones["outcome"]]
            console.print(f"  Phones that hold the old list: [bold {colour}]{phones['outcome']}[/] {phones['reason']}")
            console.print(f"    {_text(phones['text'])}")


def _print_list(found, console):
    for key, (before, after) in found["header"].items():
        console.print(f"  {key}: {_text(str(before))} -> {_text(str(after))}")
    for change, (colour, sign) in _SIGNS.items():
        for certificate in found[change]:
            console.print(f"  [{colour}]{sign}[/] {_certificate(certificate)}")
    for pair in found["replaced"]:
        console.print(f"  [yellow]~[/] {_certificate(pair['new'])}")
        console.print(f"    {pair['how']}; the old serial is {pair['old']['serial']}")
    for pair in found["changed"]:
        old = pair["old"]
        console.print(f"  [yellow]~[/] {_certificate(pair['new'])}")
        console.print(f"    the same certificate; it was {_roles(old)}")


def _certificate(found):
    return f"{_roles(found)}: {_text(found['subject'])} (serial {found['serial']})"


def _roles(found):
    hosts = f" on {', '.join(map(_text, found['hosts']))}" if found["hosts"] else ""
    return ", ".join(found["roles"]) + hosts


def _text(text):
    return escape(shown(text))
