# SPDX-License-Identifier: MIT
"""`phonetrust inspect FILE`: what a trust list or a signed file contains, and whether it is consistent."""

import hashlib
import ssl
import typing
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from agent.errors import Refused
from agent.formats import names, tlv
from agent.formats.header import Header
from agent.formats.text import shown_value, utc
from agent.formats.trustlist import SIZE_LIMIT, TrustList
from agent.trust.rules import is_list_name
from agent.trust.signature import verifies
from host_tools.cli import fields, parts
from host_tools.lists import health


def inspect(
    file: Annotated[Path, typer.Argument(help="A CTL, an ITL, a signed file (.sgn, .enc.sgn) or a firmware load.")],
    full: Annotated[
        bool, typer.Option("--full", help="Also show every field of the header and of each record.")
    ] = False,
    pem: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Print only the certificate of record N, in PEM.")
    ] = None,
    expires_within: Annotated[
        int, typer.Option(min=0, metavar="DAYS", help="Warn of certificates that expire within so many days.")
    ] = health.DAYS,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")] = False,
):
    """Show a trust list or a signed file: header, signer, records, checksums, signature.

    A trust list is checked against itself, because one of its SAST records holds its signer's certificate. Whether a phone
    believes the list is another question: [bold]phonetrust preflight[/] answers it. A signed file carries no certificate, so
    its signature is not checked here. Warnings tell of certificates that expire soon, weak keys, and lists close to the 64 KB
    that phones take; they do not change the exit status.

    [bold]Examples[/]

      phonetrust inspect ITLFile.tlv
      phonetrust inspect ITLFile.tlv --expires-within 365
      phonetrust inspect ITLFile.tlv --full
      phonetrust inspect ITLFile.tlv --pem 3 > record3.pem

    [bold]Files[/]

    The file is only read. Nothing is written: --pem prints the certificate.

    [bold]Exit status[/]

    0 well-formed (and the signature verifies, where that can be checked), 1 not, 2 the file or the record cannot be read.
    """
    data = parts.read(file)
    try:
        found = describe(data, parts.host_crypto())
    except Refused as error:
        error.file = str(file)  # pyright: ignore[reportAttributeAccessIssue]
        if json:
            parts.print_json({"file": str(file), "outcome": "refused", "reason": error.reason, "text": str(error)})
            raise typer.Exit(parts.NO) from None
        parts.leave(parts.NO, f"{error} ({error.reason})")
    if pem is not None:
        return typer.echo(_pem(data, pem, file), nl=False)
    found: dict[str, typing.Any] = {"file": str(file)} | found
    found["warnings"] = health.list_warnings(found, expires_within) if "records" in found else []
    if full and "records" in found:
        found["tlvs"] = fields.record_fields(data, found["header"]["length"])
    if json:
        parts.print_json(found)
    else:
        _print(found, Console())
        if full:
            fields.show(found, Console(highlight=False))
    raise typer.Exit(parts.NO if found["signature"]["verified"] is False else parts.YES)


app = parts.single(inspect)


def _pem(data, number, file):
    """The certificate of a record, counted from 1; leaves with a sentence where there is none."""
    try:
        records = list(TrustList(data, parts.host_crypto(), limit=len(data)).records())
    except Refused:
        parts.leave(parts.CANNOT_TELL, f"{file}: only the records of a trust list have certificates")
    if number > len(records):
        parts.leave(parts.CANNOT_TELL, f"{file}: it has {len(records)} records, and no record {number}")
    certificate = records[number - 1].certificate
    if certificate is None:
        parts.leave(parts.CANNOT_TELL, f"{file}: record {number} is empty and has no certificate")
    return ssl.DER_cert_to_PEM_cert(certificate)


def describe(data, crypto):
    """The facts about the bytes of a file, ready for JSON. Raises Refused."""
    header = Header(data)
    kind = "signed file"
    for name in ("itl", "ctl"):
        if is_list_name(header.filename, name):
            kind = name.upper()
    found = {
        "kind": "encrypted file" if header.encryption else kind,
        "bytes": len(data),
        "md5": hashlib.md5(data, usedforsecurity=False).hexdigest(),
        "sha1": hashlib.sha1(data, usedforsecurity=False).hexdigest(),
        "header": {
            "version": "{}.{}".format(*header.version),
            "signer_version": "{}.{}".format(*header.signer_version) if header.signer_version else None,
            "length": header.length,
            "filename": header.filename,
            "timestamp": header.timestamp,
            "time": None if header.timestamp is None else utc(header.timestamp),
            "digest_algorithm": header.digest_algorithm,
            "signature_bits": len(header.signature) * 8,
            "tlvs": [
                {"tag": tag, "name": tlv.HEADER_NAMES.get(tag, "(unknown)"), "offset": offset, "length": length}
                for tag, offset, length in tlv.header_tlvs(data)
            ],
        },
        "signer": {"subject": header.subject, "issuer": header.issuer, "serial": header.serial.hex()},
        "signature": {"verified": None, "text": "A signed file carries no certificate: see phonetrust preflight."},
    }
    if kind == "signed file":
        found["body_bytes"] = len(data) - header.length
        return found
    trust_list = TrustList(data, crypto, limit=len(data))
    found["over_limit"] = len(data) > SIZE_LIMIT
    found["empty"] = trust_list.empty
    found["records"] = [_record(record, crypto) for record in trust_list.records()]
    found["signature"] = _own_signature(trust_list, crypto)
    return found


def _record(record, crypto):
    host = record.host()
    if record.certificate is None:
        return {"role": None if record.role is None else names.role_name(record.role), "host": host, "empty": True}
    certificate = crypto.certificate(record.certificate)
    return {
        "role": "none" if record.role is None else names.role_name(record.role),
        "subject": names.to_text(certificate.subject),
        "issuer": names.to_text(certificate.issuer),
        "serial": certificate.serial.hex(),
        "host": host,
        "key": f"{certificate.key_kind.upper()} {certificate.key_bits}",
        "not_before": certificate.not_before,
        "not_after": certificate.not_after,
        "sha1": crypto.digest("sha1", record.certificate).hex(),
        "sha256": crypto.digest("sha256", record.certificate).hex(),
    }


def _own_signature(trust_list, crypto):
    header = trust_list.header
    signers = trust_list.signers(header.issuer, header.serial, (names.SAST,))
    if not signers:
        return {"verified": False, "text": "No SAST record has the signer's certificate."}
    digest = crypto.digest(header.digest_algorithm, trust_list.data, header.signature_cut)
    for record, _ in signers:
        if verifies(crypto, record.key_kind, record.certificate, header, digest):
            return {"verified": True, "text": "Verified with the signer's own SAST record."}
    return {"verified": False, "text": "The signer's own SAST record does not verify it."}


def _date(text):
    return f"{text[:4]}-{text[4:6]}-{text[6:8]}"


def _print(found, console):
    found = typing.cast(dict[str, typing.Any], shown_value(found))
    header, signer = found["header"], found["signer"]
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    table.add_row("File", f"{escape(found['file'])} ({found['bytes']} bytes, {found['kind']})")
    table.add_row("Says it is", escape(header["filename"]))
    table.add_row("Made", header["time"] or "(it does not say)")
    table.add_row("Version", f"{header['version']}, signer version {header['signer_version'] or '-'}")
    table.add_row("MD5", found["md5"])
    table.add_row("SHA-1", found["sha1"])
    table.add_row("Signer", escape(signer["subject"]))
    table.add_row("  issuer", escape(signer["issuer"]))
    table.add_row("  serial", signer["serial"])
    word = {True: "GOOD", False: "BAD", None: "not checked"}[found["signature"]["verified"]]
    colour = {True: "green", False: "red", None: "yellow"}[found["signature"]["verified"]]
    text = f"RSA {header['signature_bits']}, {header['digest_algorithm']}: [{colour}]{word}[/]. {found['signature']['text']}"
    table.add_row("Signature", text)
    if "body_bytes" in found:
        table.add_row("Body", f"{found['body_bytes']} bytes" + (", encrypted" if "encrypted" in found["kind"] else ""))
    if found.get("over_limit"):
        table.add_row("Size", f"over {SIZE_LIMIT} bytes: phones refuse it (too-large)")
    if found.get("empty"):
        table.add_row("Empty", "blank records in place of TFTP and TVS: prepared for rollback")
    console.print(table)
    for warning in found["warnings"]:
        console.print(f"[yellow]Warning:[/] {escape(warning)}", highlight=False)
    if "records" in found:
        _print_records(found["records"], console)


def _print_records(records, console):
    console.print(f"\n{len(records)} records")
    for number, record in enumerate(records, 1):
        table = Table(show_header=False, box=None, pad_edge=False)
        table.add_column(style="bold", min_width=12)
        table.add_column(overflow="fold")
        if record.get("empty"):
            table.add_row(f"{number:2}  {record['role'] or 'empty'}", "no certificate")
            console.print(table)
            continue
        table.add_row(f"{number:2}  {record['role']}", escape(record["subject"]))
        if record["issuer"] != record["subject"]:
            table.add_row("    issuer", escape(record["issuer"]))
        table.add_row("    serial", record["serial"])
        if record["host"]:
            table.add_row("    host", escape(record["host"]))
        valid = f"{_date(record['not_before'])} to {_date(record['not_after'])}"
        table.add_row("    key", f"{record['key']}, valid {valid}")
        table.add_row("    SHA-1", record["sha1"])
        table.add_row("    SHA-256", record["sha256"])
        console.print(table)
