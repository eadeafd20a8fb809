# SPDX-License-Identifier: MIT
"""`phonetrust preflight CANDIDATE`: what a phone would decide about a file, by the agent's own code."""

import asyncio
import typing
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from agent.errors import Malformed, Refused, SettingsError
from agent.formats.header import Header
from agent.formats.phoneconfig import TVS_PORT
from agent.formats.text import shown
from agent.formats.trustlist import SIZE_LIMIT, TrustList
from agent.servers.judge import Asker, Judge
from agent.settings import Settings, server
from agent.trust.age import REPLAYS
from agent.trust.rules import POLICIES, Trust, is_list_name
from host_tools.cli import parts
from host_tools.cli.tvs_store import StoreError, TvsStore, Unreachable

TVS_TIME = 5000  # ms for a TVS server to connect, and to answer
DEADLINE = 0  # not used: the askers here have deadlines of their own


def preflight(
    candidate: Annotated[
        Path | None,
        typer.Argument(help="The file that phones will be offered; with --boot the folder of a TFTP server."),
    ] = None,
    host: Annotated[
        str,
        typer.Option("--from", metavar="HOST[:PORT]", help="Instead of a file: a boot against this TFTP server, now."),
    ] = "",
    boot: Annotated[
        bool, typer.Option("--boot", help="Judge CTL, ITL and configuration in order, as one boot of a phone would.")
    ] = False,
    mac: Annotated[
        str,
        typer.Option(
            "--phone",
            metavar="MAC",
            help="The phone; else any phone, with --boot the one that the folder names.",
        ),
    ] = "",
    kind: Annotated[
        str,
        typer.Option(
            "--as", metavar="itl|ctl|NAME", help="What the file is offered as; default: by its name, else its header."
        ),
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
    replay: Annotated[
        str,
        typer.Option(
            metavar="|".join(REPLAYS), help="What the phones do with a list that is older than the installed one."
        ),
    ] = REPLAYS[0],
    refuse_weak: Annotated[
        bool, typer.Option("--refuse-weak", help="The phones refuse SHA-1 and 1024-bit keys.")
    ] = False,
    size_limit: Annotated[int, typer.Option(min=1, help="Bytes of a trust list that the phones take.")] = SIZE_LIMIT,
    device: Annotated[str, typer.Option(help="The name that a TVS server is told.")] = "CP-8861-SEP000000000000",
    configured_tvs: Annotated[
        list[str] | None,
        typer.Option(metavar="HOST[:PORT]", help="With --from: a TVS server of the phone's last configuration."),
    ] = None,
    http: Annotated[
        bool, typer.Option("--http", help="With --from: ask by HTTPS and HTTP first, as newer phones do.")
    ] = False,
    http_port: Annotated[int, typer.Option(min=1, max=65535, help="Port of HTTP.")] = 6970,
    https_port: Annotated[int, typer.Option(min=1, max=65535, help="Port of HTTPS.")] = 6971,
    html: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="With --from and --boot: also write a page that draws the chain of trust."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")] = False,
):
    """Say what a phone would decide about a trust list or a configuration file before it is served.

    Without --from and --boot one file is judged. Where phones would ask TVS, name a server (--tvs), or a folder of
    certificates that TVS would vouch for (--tvs-store), or say that no TVS answers (--tvs unreachable).

    --boot judges a folder: which lists and which configuration a phone takes in one boot, in the order in which it asks for
    them. --from does the same with what the servers hand out now, and TVS is really asked.

    [bold]Examples[/]

      phonetrust preflight ITLFile.tlv --installed-itl old.tlv
      phonetrust preflight ITLFile.tlv --installed-itl old.tlv --tvs 192.0.2.10
      phonetrust preflight --boot /srv/tftp --installed-itl old.tlv
      phonetrust preflight --from 192.0.2.10 --phone 00270DC01C92 --html boot.html

    [bold]Files[/]

    All files are only read. --html FILE is written: one page that needs no network, with the chain of trust drawn.

    [bold]Exit status[/]

    0 accepted, 1 refused, 2 cannot tell (also where TVS would be asked and none is named, or where no server answers).
    """
    if policy not in POLICIES:
        parts.leave(parts.CANNOT_TELL, f"--policy is {policy}, not one of: {', '.join(POLICIES)}")
    if replay not in REPLAYS:
        parts.leave(parts.CANNOT_TELL, f"--replay is {replay}, not one of: {', '.join(REPLAYS)}")
    if tvs and tvs_store:
        parts.leave(parts.CANNOT_TELL, "--tvs and --tvs-store exclude each other")
    if (candidate is None) == (not host):
        parts.leave(parts.CANNOT_TELL, "name the file that phones will be offered, or a server with --from HOST")
    if html is not None and not boot and not host:
        parts.leave(parts.CANNOT_TELL, "--html draws a boot: use it with --from HOST, or with --boot FOLDER")
    offered = [path for path in candidate.rglob("*") if path.suffix != ".html"] if html and candidate else []
    parts.keep_inputs([html], [installed_itl, installed_ctl, *offered])
    mac = parts.mac_of(mac)
    phone = Held(installed_itl, installed_ctl, policy, size_limit, refuse_weak, replay, _device(mac))
    phone.tvs = _configured(configured_tvs)
    asker = _asker(phone.crypto, tvs, tvs_store, device)
    try:
        if boot or host:
            from host_tools.cli import preflight_boot

            given = asker if tvs or tvs_store else None
            web = {"file_transfer": "http", "http_port": http_port, "https_port": https_port} if http else {}
            preflight_boot.run(host or candidate, phone, given if host else asker, mac, json, bool(host), web, html)
        else:
            _one(candidate, kind, phone, asker, json)
    except TvsNeeded as needed:
        _cannot_tell(kind or (candidate.name if candidate else host), needed.question, json)


def _one(candidate, kind, phone, asker, json):
    if candidate.is_dir():
        parts.leave(parts.CANNOT_TELL, f"{candidate}: this is a folder; --boot judges its files as one boot")
    data = parts.read(candidate)
    kind = kind or _kind(candidate, data)
    judge = phone.judge(asker)
    if kind in ("itl", "ctl"):
        decision = asyncio.run(judge.list(kind, data, DEADLINE))
    else:
        decision = asyncio.run(judge.file(kind, data, max(phone.size_limit, len(data)), deadline=DEADLINE))
    trust_list = decision.trust_list
    if decision.accepted and trust_list is not None:
        judge.install(kind, trust_list)
    result = _result(decision, judge.trust, trust_list)
    if json:
        parts.print_json(result)
    else:
        _print(result)
    raise typer.Exit(parts.YES if decision.accepted else parts.NO)


app = parts.single(preflight)


def _configured(texts):
    """[(host, port)] of --configured-tvs, None where none is given."""
    try:
        return [server(text, TVS_PORT) for text in texts] if texts else None
    except ValueError as error:
        parts.leave(parts.CANNOT_TELL, f"--configured-tvs: {error}")


def _device(mac):
    """ "SEP<MAC>" of --phone, None for any phone."""
    try:
        return Settings({"mac": mac}).device if mac else None
    except SettingsError as error:
        parts.leave(parts.CANNOT_TELL, f"--phone: {error}")


def _kind(path, data):
    """What a file is offered as, without --as: by its own name, or else by the name in its header."""
    for name in (path.name, _header_name(data)):
        for kind in ("itl", "ctl"):
            if is_list_name(name, kind):
                return kind
        if name.endswith((".sgn", ".cnf.xml")):
            return name
    parts.leave(
        parts.CANNOT_TELL, f"{path}: neither its name nor its header tells its kind; use --as itl, ctl or a name"
    )


def _header_name(data):
    try:
        return Header(data).filename
    except Malformed:
        return ""


class Held:
    """What the phones hold and how they are set; ends with CANNOT_TELL where no phone could hold such a list.

    device: "SEP<MAC>" of the only phone that is meant, None for any phone."""

    def __init__(self, installed_itl, installed_ctl, policy, size_limit, refuse_weak, replay, device=None):
        self.crypto = parts.host_crypto()
        self.policy = policy
        self.size_limit = size_limit
        self.refuse_weak = refuse_weak
        self.replay = replay
        self.device = device
        self.tvs: list | None = None  # (host, port) that the phone's last configuration named
        self.itl = self._read("itl", installed_itl)
        self.ctl = self._read("ctl", installed_ctl)

    def _read(self, kind, path):
        if path is None:
            return None
        data = parts.read(path)
        try:
            filename = TrustList(data, self.crypto, len(data)).header.filename
        except Refused as error:
            error.file = str(path)  # pyright: ignore[reportAttributeAccessIssue]
            parts.leave(parts.CANNOT_TELL, f"no phone has this installed: {error}")
        if not is_list_name(filename, kind, self.device):
            what = f"as {kind.upper()}: {path}, whose header says {shown(filename)}"
            parts.leave(parts.CANNOT_TELL, f"no phone has this installed {what}")
        return data

    def judge(self, asker):
        """The Judge of such a phone."""
        judge = Judge(self._trust, asker)
        judge.use(self.itl, self.ctl)
        return judge

    def _trust(self, itl=None, ctl=None, lost=False):
        weak = self.refuse_weak
        return Trust(self.crypto, self.policy, self.size_limit, weak, itl, ctl, lost, self.replay, self.device)


class TvsNeeded(Exception):
    """The phone would ask TVS, and the command names none. question: what the phone would ask."""

    def __init__(self, question):
        super().__init__("TVS would be asked")
        self.question = question


class Nobody(Asker):
    """Stands in where the command names no TVS."""

    async def ask(self, question, deadline=None):
        """Raises TvsNeeded."""
        raise TvsNeeded(question)


class LiveTvs(Asker):
    """A TVS server on the network, as a phone asks it."""

    def __init__(self, address, device):
        from agent.servers.tvs.client import TvsClient
        from hal.host import Hal

        hal = Hal()
        self._address = address
        self._clock = hal.clock
        self._client = TvsClient(hal.net, hal.clock, hal.random, device, timeout=TVS_TIME)

    def set_certificates(self, certificates):
        """The certificates by which the phone knows a TVS server."""
        self._client.set_certificates(certificates)

    async def ask(self, question, deadline=None):
        """The server's Answer; only the named server is asked."""
        self._client.set_servers([self._address])
        return await self._client.ask(question, self._clock.monotonic() + 2 * TVS_TIME)


def _asker(crypto, tvs, tvs_store, device):
    """The asker that the command names."""
    try:
        if tvs_store is not None:
            return TvsStore(tvs_store, crypto)
        if tvs == "unreachable":
            return Unreachable()
        return LiveTvs(server(tvs, TVS_PORT), device) if tvs else Nobody()
    except (StoreError, ValueError) as error:
        parts.leave(parts.CANNOT_TELL, str(error))


def _cannot_tell(kind, question, json) -> typing.NoReturn:
    signer = {"issuer": question.issuer, "serial": question.serial.hex()} if question.request == "query" else None
    who = f"{question.subject} (serial {question.serial.hex()})" if question.request == "query" else "this certificate"
    text = (
        f"The phone would ask TVS about {who}, which no installed list has. Name a server with --tvs HOST, or the "
        "certificates that TVS would vouch for with --tvs-store DIR, or say --tvs unreachable."
    )
    if json:
        parts.print_json(
            {
                "outcome": "cannot-tell",
                "reason": "tvs-needed",
                "kind": kind,
                "mode": None,
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
