# SPDX-License-Identifier: MIT
"""`phonetrust preflight CANDIDATE`: what a phone would decide about a file, by the agent's own code."""

import typing
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from agent.errors import Malformed, Refused
from agent.formats.header import Header
from agent.formats.trustlist import SIZE_LIMIT
from agent.settings import TVS_PORT, server
from agent.trust.rules import POLICIES, Trust, is_list_name
from host_tools.cli import parts
from host_tools.cli.tvs_store import StoreError, TvsStore, Unreachable


def preflight(
    candidate: Annotated[Path, typer.Argument(help="The file that phones will be offered.")],
    kind: Annotated[
        str,
        typer.Option("--as", metavar="itl|ctl|NAME", help="What it is offered as; else told by its name, its header."),
    ] = "",
    installed_itl: Annotated[Path | None, typer.Option(help="The ITL that the phones have.")] = None,
    installed_ctl: Annotated[Path | None, typer.Option(help="The CTL that the phones have.")] = None,
    tvs: Annotated[
        str, typer.Option(metavar="HOST[:PORT]|unreachable", help="Ask this TVS server where a phone would ask one.")
    ] = "",
    tvs_store: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help='Instead of a server: PEM certificates and roles.json, {"a.pem": ["SAST", "TFTP"]}.'
        ),
    ] = None,
    policy: Annotated[str, typer.Option(metavar="|".join(POLICIES), help="The phones' policy.")] = POLICIES[0],
    refuse_weak: Annotated[
        bool, typer.Option("--refuse-weak", help="Phones that refuse SHA-1 and 1024-bit keys.")
    ] = False,
    size_limit: Annotated[int, typer.Option(min=1, help="Bytes of a trust list that the phones take.")] = SIZE_LIMIT,
    device: Annotated[str, typer.Option(help="The name that a TVS server is told.")] = "CP-8861-SEP000000000000",
    json: Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")] = False,
):
    """Say what a phone would decide about a trust list or a configuration file before it is served.

    [bold]phonetrust preflight ITLFile.tlv --installed-itl old.tlv[/] tells whether phones that have old.tlv take the
    new list. Where they would ask TVS, name a server (--tvs), or what it would vouch for (--tvs-store), or that it does
    not answer (--tvs unreachable).

    Exit status: 0 accepted, 1 refused, 2 cannot tell (also where TVS would be asked and none is named).
    """
    if policy not in POLICIES:
        parts.leave(parts.CANNOT_TELL, f"--policy is {policy}, not one of: {', '.join(POLICIES)}")
    if tvs and tvs_store:
        parts.leave(parts.CANNOT_TELL, "--tvs and --tvs-store exclude each other")
    data = parts.read(candidate)
    kind = kind or _kind(candidate, data)
    trust = _trust(installed_itl, installed_ctl, policy, size_limit, refuse_weak)
    ask = _asker(trust, tvs, tvs_store, device)
    if kind in ("itl", "ctl"):
        decision = trust.decide_list(kind, data)
    else:
        decision = trust.decide_file(kind, data, max(size_limit, len(data)))
    while decision.accepted is None:
        if ask is None:
            _cannot_tell(trust, kind, decision, json)
        decision = trust.answer(decision, ask(decision))
    trust_list = getattr(decision, "trust_list", None)
    if decision.accepted and trust_list is not None:
        trust.install(kind, trust_list)
    result = _result(decision, trust, trust_list)
    if json:
        parts.print_json(result)
    else:
        _print(result)
    raise typer.Exit(parts.YES if decision.accepted else parts.NO)


app = parts.single(preflight)


def _kind(path, data):
    """What a file is offered as when nobody says: by its own name, else by the one in its header."""
    for name in (path.name, _header_name(data)):
        for kind in ("itl", "ctl"):
            if is_list_name(name, kind):
                return kind
        if name.endswith((".sgn", ".cnf.xml")):
            return name
    parts.leave(
        parts.CANNOT_TELL, f"{path}: neither its name nor its header says what it is; use --as itl, ctl or a name"
    )


def _header_name(data):
    try:
        return Header(data).filename
    except Malformed:
        return ""


def _trust(installed_itl, installed_ctl, policy, size_limit, refuse_weak):
    lists = {}
    crypto = parts.host_crypto()
    for kind, path in (("itl", installed_itl), ("ctl", installed_ctl)):
        if path is not None:
            data = lists[kind] = parts.read(path)
            try:
                Trust(crypto, **{kind: data})
            except Refused as error:
                error.file = str(path)
                parts.leave(parts.CANNOT_TELL, f"no phone has this installed: {error}")
    return Trust(crypto, policy, size_limit, refuse_weak, **lists)


def _asker(trust, tvs, tvs_store, device):
    """The function that puts a Question to what stands for TVS; None where nothing does."""
    try:
        if tvs_store is not None:
            return TvsStore(tvs_store, trust.crypto).ask
        if tvs == "unreachable":
            return Unreachable().ask
        if not tvs:
            return None
        address = server(tvs, TVS_PORT)
    except (StoreError, ValueError) as error:
        parts.leave(parts.CANNOT_TELL, str(error))
    from agent.servers.tvs.client import TvsClient
    from hal.host import Clock, Net, Random

    client = TvsClient(Net(), Clock(), Random(), device, timeout=5000)
    client.set_servers([address])
    client.set_certificates(trust.tvs_certificates())
    return client.ask


def _cannot_tell(trust, kind, question, json) -> typing.NoReturn:
    signer = {"issuer": question.issuer, "serial": question.serial.hex()} if question.kind == "query" else None
    who = f"{question.subject} (serial {question.serial.hex()})" if question.kind == "query" else "this certificate"
    text = (
        f"The phone would ask TVS about {who}, whom no installed list has. Name a server with --tvs HOST, or what it "
        "would vouch for with --tvs-store DIR, or --tvs unreachable."
    )
    if json:
        parts.print_json(
            {
                "outcome": "cannot-tell",
                "reason": "tvs-needed",
                "kind": kind,
                "mode": trust.mode,
                "empty": None,
                "signer": signer,
                "text": text,
                "warnings": [],
                "evidence": {},
            }
        )
        raise typer.Exit(parts.CANNOT_TELL)
    parts.leave(parts.CANNOT_TELL, text)


def _result(decision, trust, trust_list):
    signer = decision.evidence.get("signer")
    return {
        "outcome": decision.outcome,
        "reason": decision.reason,
        "kind": decision.kind,
        "mode": trust.mode,
        "empty": None if trust_list is None else trust_list.empty,
        "signer": None if signer is None else {"issuer": signer["issuer"], "serial": signer["serial"]},
        "text": decision.text,
        "warnings": decision.warnings,
        "evidence": decision.evidence,
    }


def _print(result):
    console = Console()
    colour = "green" if result["outcome"] == "accepted" else "red"
    console.print(f"[bold {colour}]{result['outcome'].upper()}[/] [bold]{result['reason']}[/]")
    console.print(escape(result["text"]))
    for warning in result["warnings"]:
        console.print(f"[yellow]Warning:[/] {escape(warning)}")
    empty = ", empty ITL" if result["empty"] else ""
    console.print(f"The phone is then in {result['mode']} mode{empty}.", highlight=False)
