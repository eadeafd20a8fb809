# SPDX-License-Identifier: MIT
"""A trust list and the state of a cluster, in words and as JSON. Lists are read by the phone's own parser."""

import hashlib
import json
import os
import struct
import time

from cryptography.hazmat.primitives import hashes

from agent.errors import Refused
from agent.formats import tlv
from agent.formats.names import role_name
from agent.formats.text import shown, utc
from agent.formats.trustlist import TrustList, address_text
from agent.trust.signature import verifies
from hal.host.with_cryptography import HostCrypto
from host_tools.lab.errors import LabError
from host_tools.lab.model.advice import warnings
from host_tools.lab.model.certificates import pending
from host_tools.lab.writers import files
from host_tools.lab.writers.lists import ctl_signer, itl_signer

_TEXT = (tlv.SIGNERNAME, tlv.CANAME, tlv.FILENAME)
_NUMBERS = (tlv.DIGESTALGORITHM, tlv.SIGNATUREALGORITHM, tlv.SIGNATUREMODULUS, tlv.TIMESTAMP, tlv.HEADERLENGTH)


def trust_list(content):
    """A list as a dictionary: size, checksums, header fields, records, and which record signed the list.

    LabError where it cannot be read.
    """
    crypto = HostCrypto()
    try:
        parsed = TrustList(content, crypto, len(content))
    except Refused as refusal:
        raise LabError(f"the list cannot be read: {refusal.text}") from refusal
    header = [
        {
            "position": offset - (1 if tag == tlv.PADDING else 3),
            "tag": tag,
            "name": tlv.HEADER_NAMES.get(tag, f"({tag})"),
            "length": length,
            "value": _value(tag, content[offset : offset + length]),
        }
        for tag, offset, length in tlv.header_tlvs(content)
    ]
    signers = [
        record.offset for record, _sure in parsed.signers(parsed.header.issuer, parsed.header.serial, (files.SAST,))
    ]
    records = [_record(content, record, signers) for record in parsed.records()]
    return {
        "length": len(content),
        "md5": hashlib.md5(content, usedforsecurity=False).hexdigest(),
        "sha1": hashlib.sha1(content, usedforsecurity=False).hexdigest(),
        "timestamp": parsed.header.timestamp,
        "header_length": parsed.header.length,
        "header": header,
        "records": records,
        "verified": any(record["used_to_sign"] and _verifies(crypto, content, parsed, record) for record in records),
    }


def trust_list_text(name, content):
    """A list the way a cluster's command line prints it: checksums, header, records with BYTEPOS TAG LENGTH VALUE."""
    found = trust_list(content)
    kind = name[:3]
    stamp = "the list does not say" if found["timestamp"] is None else utc(found["timestamp"])
    lines = [
        f"Checksums of the {kind} file:",
        f"{found['md5']} (MD5)",
        f"{found['sha1']} (SHA1)",
        "",
        f"Length of the {kind} file: {found['length']}",
        f"Made: {stamp}",
        "",
        f"{kind} header, {found['header_length']} bytes",
        *_table(found["header"]),
    ]
    for number, record in enumerate(found["records"], 1):
        lines += ["", f"{kind} record {number}", *_table(record["fields"])]
        if record["empty"]:
            lines.append("This record is empty: it holds no certificate.")
        elif record["function"] == files.SAST:
            was = "was" if record["used_to_sign"] else "was not"
            lines.append(f"This certificate {was} used to sign the {kind} file.")
    lines += ["", f"The signature of the {kind} file is {'correct' if found['verified'] else 'NOT correct'}."]
    return "\n".join(lines)


def status(cluster):
    """The cluster as a dictionary: what it is, nodes with ports and lists, certificates, phones, and whether it runs."""
    state, data = cluster.state, cluster.state.data
    nodes = []
    for number, node in enumerate(data["nodes"], 1):
        published = state.published[node["name"]]
        nodes.append(
            {
                "number": number,
                "name": node["name"],
                "address": node["address"],
                "ports": node["ports"],
                "stopped": node["stopped"],
                "rollback": node["rollback"],
                "files": sorted(published),
                "itl": _list_status(published.get(files.ITL_NAME), itl_signer(state, number)),
                "ctl": _list_status(published.get(files.CTL_NAME), ctl_signer(state)),
            }
        )
    return {
        "name": data["name"],
        "state": state.number,
        "mode": "mixed" if data["mixed"] else "nonsecure",
        "kind": data["kind"],
        "open": data["open"],
        "digest": data["digest"],
        "pre8": data["pre8"],
        "rollback": any(node["rollback"] for node in data["nodes"]),
        "autoregistration": data["autoregistration"],
        "restarts": data["restarts"],
        "pending": pending(state),
        "directory": data["directory"],
        "secure_urls": data["secure_urls"],
        "visitors": data["visitors"],
        "saved": data["saved"],
        "warnings": warnings(state),
        "centralized_tftp": data["centralized_tftp"],
        "nodes": nodes,
        "phones": {
            mac: {
                "model": phone["model"],
                "encrypted": phone["encrypted"],
                "lsc": phone["lsc"] is not None,
                "capf": phone["capf"]["operation"],
            }
            for mac, phone in data["phones"].items()
        },
        "certificates": {name: _certificate(identity) for name, identity in sorted(state.identities.items())},
        "running": _running(cluster),
        "registrations": _registrations(cluster),
    }


def _list_status(content, signer):
    if content is None:
        return None
    return {
        "length": len(content),
        "md5": hashlib.md5(content, usedforsecurity=False).hexdigest(),
        "sha1": hashlib.sha1(content, usedforsecurity=False).hexdigest(),
        "signer": files.name_text(signer.certificate.subject),
    }


def _certificate(identity):
    certificate = identity.certificate
    return {
        "subject": files.name_text(certificate.subject),
        "issuer": files.name_text(certificate.issuer),
        "serial": files.serial_bytes(certificate.serial_number).hex(),
        "not_after": certificate.not_valid_after_utc.strftime("%Y-%m-%d"),
        "sha256": certificate.fingerprint(hashes.SHA256()).hex(),
        "key": identity.key is not None,
    }


def _running(cluster):
    """serving.json, if the process that wrote it is alive; else None."""
    try:
        serving = json.loads((cluster.path / "serving.json").read_text())
        os.kill(serving["pid"], 0)
    except (OSError, ValueError, KeyError):
        return None
    return serving


def _registrations(cluster):
    """registrations.json of running servers, without expired entries; else {}."""
    if _running(cluster) is None:
        return {}
    try:
        found = json.loads((cluster.path / "registrations.json").read_text())
    except (OSError, ValueError):
        return {}
    return {device: entry for device, entry in sorted(found.items()) if entry["expires_at"] > time.time()}


def _record(content, record, signers):
    fields = [
        {
            "position": offset - 3,
            "tag": tag,
            "name": tlv.RECORD_NAMES.get(tag, f"({tag})"),
            "length": length,
            "value": _record_value(tag, content[offset : offset + length]),
        }
        for tag, offset, length in tlv.record_tlvs(memoryview(content)[: record.offset + record.length], record.offset)
    ]
    return {
        "function": record.role,
        "role": None if record.role is None else role_name(record.role),
        "empty": record.certificate is None,
        "used_to_sign": record.offset in signers,
        "fields": fields,
        "certificate_sha256": record.certificate and hashlib.sha256(record.certificate).hexdigest(),
    }


def _verifies(crypto, content, parsed, record):
    found = next(
        found
        for found in parsed.records()
        if found.certificate and hashlib.sha256(found.certificate).hexdigest() == record["certificate_sha256"]
    )
    header = parsed.header
    digest = crypto.digest(header.digest_algorithm, content, header.signature_cut)
    return verifies(crypto, found.key_kind, found.certificate, header, digest)


def _value(tag, value):
    value = bytes(value)
    if tag in _TEXT:
        return value.rstrip(b"\0").decode("utf-8", "replace")
    if tag in _NUMBERS:
        return str(int.from_bytes(value, "big"))
    if tag in (tlv.VERSION, tlv.SIGNERVERSION):
        return ".".join(map(str, value))
    if tag == tlv.SERIALNUMBER:
        return value.hex(":").upper()
    return value.hex(" ") if tag == tlv.SIGNATURE else ""


def _record_value(tag, value):
    value = bytes(value)
    if tag in (2, 3, 5):
        return value.rstrip(b"\0").decode("utf-8", "replace")
    if tag == 1:
        return str(struct.unpack(">H", value)[0])
    if tag == 4:
        return role_name(struct.unpack(">H", value)[0])
    if tag == 6:
        return value.hex(":").upper()
    if tag == 10:
        return address_text(value)
    return value.hex(" ")


def _table(fields):
    lines = ["BYTEPOS TAG                 LENGTH  VALUE"]
    for field in fields:
        whole = shown(field["value"], len(field["value"]))
        value, rest = whole[:72], whole[72:]
        lines.append(
            f"{field['position']:<8}{field['tag']:<3} {field['name']:<18} {field['length']:<6} {value}".rstrip()
        )
        lines += [f"{'':<38}{rest[at : at + 72]}" for at in range(0, min(len(rest), 72 * 3), 72)]
        if len(rest) > 72 * 3:
            lines.append(f"{'':<38}...")
    return lines
