# SPDX-License-Identifier: MIT
"""What differs between two trust lists, or between two folders of files for phones; and what phones make of the new ones.

A certificate is the same if its SHA-256 is. A new certificate is paired with an old one of the same subject: "re-signed" if the
key is the same, else "renewed". The order of records does not count, because phones ignore it."""

import hashlib

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from agent.errors import PhonetrustError, Refused
from agent.formats import names
from agent.formats.header import Header
from agent.formats.text import shown, utc
from agent.formats.trustlist import TrustList
from agent.servers.judge import Asker
from agent.trust.decision import Answer
from agent.trust.rules import is_list_name
from host_tools.trial.phone import TrialPhone, phone_settings


class Listed:
    """A certificate of a list. roles: names. hosts: of its records. key: SHA-256 of the public key, None: unreadable."""

    def __init__(self, record):
        self.subject = names.to_text(record.subject)
        self.issuer = names.to_text(record.issuer)
        self.serial = record.serial.hex()
        self.sha256 = hashlib.sha256(record.certificate).hexdigest()
        self.key = _key(record.certificate)
        self.roles = set()
        self.hosts = set()

    def as_dict(self):
        """Ready for JSON."""
        return {
            "subject": self.subject,
            "serial": self.serial,
            "sha256": self.sha256,
            "roles": sorted(self.roles),
            "hosts": sorted(self.hosts),
        }


def kind_of(data):
    """ "itl", "ctl", or None for bytes that are no trust list, by the name in the header."""
    try:
        name = Header(data).filename
    except Refused:
        return None
    return next((kind for kind in ("itl", "ctl") if is_list_name(name, kind)), None)


def no_list(data):
    """Why bytes are no trust list, None where they are one."""
    try:
        name = Header(data).filename
    except Refused as error:
        return str(error)
    return None if kind_of(data) else f"its header says that it is {shown(name)}"


def compare(old, new, crypto):
    """The differences of two trust lists (bytes), ready for JSON. Refused where a list cannot be read."""
    lists = [TrustList(data, crypto, limit=len(data)) for data in (old, new)]
    before, after = (_certificates(each) for each in lists)
    gone = [each for sha, each in before.items() if sha not in after]
    come = [each for sha, each in after.items() if sha not in before]
    replaced = []
    for each in list(come):
        was = next((old for old in gone if old.subject == each.subject and old.roles & each.roles), None)
        if was is not None:
            gone.remove(was)
            come.remove(each)
            how = "re-signed" if was.key is not None and was.key == each.key else "renewed"
            replaced.append({"how": how, "old": was.as_dict(), "new": each.as_dict()})
    changed = [
        {"old": before[sha].as_dict(), "new": each.as_dict()}
        for sha, each in after.items()
        if sha in before and (before[sha].roles, before[sha].hosts) != (each.roles, each.hosts)
    ]
    headers = [_header(each, data) for each, data in zip(lists, (old, new), strict=True)]
    return {
        "same": bytes(old) == bytes(new),
        "header": {key: [each[key] for each in headers] for key in headers[0] if headers[0][key] != headers[1][key]},
        "added": [each.as_dict() for each in come],
        "removed": [each.as_dict() for each in gone],
        "replaced": replaced,
        "changed": changed,
    }


def _certificates(trust_list):
    found = {}
    for record in trust_list.records():
        if record.certificate is None:
            continue
        listed = Listed(record)
        listed = found.setdefault(listed.sha256, listed)
        listed.roles.add("none" if record.role is None else names.role_name(record.role))
        if record.host():
            listed.hosts.add(record.host())
    return found


def _header(trust_list, data):
    header = trust_list.header
    return {
        "signer": f"{header.subject} (serial {header.serial.hex()})",
        "made": None if header.timestamp is None else utc(header.timestamp),
        "digest": header.digest_algorithm,
        "version": ".".join(map(str, header.version)),
        "bytes": len(data),
        "empty": trust_list.empty,
    }


def _key(certificate):
    try:
        key = x509.load_der_x509_certificate(certificate).public_key()
        return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()
    except Exception:  # a key that the library does not know; phones may still read the certificate
        return None


class Noting(Asker):
    """In place of a TVS: notes what phones would ask."""

    def __init__(self):
        self.questions = []

    async def ask(self, question, deadline=None):
        """Note the question. The Answer does not matter."""
        self.questions.append(question)
        return Answer("unreachable", text="TVS is not asked by this comparison.")


def phones_with(kind, old, new, crypto):
    """What phones that hold the list `old` make of `new`: {"outcome": "accepted", "refused" or "asks-tvs", "reason", "text"}.

    Refused where no phone can hold `old`."""
    asker = Noting()
    phone = TrialPhone(phone_settings("000000000000"), crypto, {}, asker, **{kind: old})
    decision = phone.takes(kind, new)
    if asker.questions and not decision.accepted:
        question = asker.questions[0]
        who = f"{question.subject} (serial {question.serial.hex()})" if question.request == "query" else "its signer"
        text = f"Phones ask TVS about {who}: they take the list if TVS vouches for it, and else refuse it."
        return {"outcome": "asks-tvs", "reason": "tvs-needed", "text": text}
    return {"outcome": decision.outcome, "reason": decision.reason, "text": decision.text}


def compare_folders(old, new, crypto):
    """The differences of two folders ({name: bytes}), ready for JSON: one item for each file that differs, by its name.

    The item of a damaged file has "error"; the other files are still compared."""
    found = []
    for name in sorted({*old, *new}):
        if old.get(name) == new.get(name):
            continue
        item = {"file": name, "change": "changed" if name in old and name in new else "added"}
        if name not in new:
            item["change"] = "removed"
        if item["change"] == "changed":
            item |= compare_files(old[name], new[name], crypto)
        found.append(item)
    return found


def compare_files(old, new, crypto):
    """The differences of two files: "list" and "phones" for trust lists, "signer" for other signed files, or "error"."""
    kinds = {kind_of(old), kind_of(new)}
    try:
        if len(kinds) == 1 and None not in kinds:
            kind = kinds.pop()
            return {
                "kind": kind,
                "list": compare(old, new, crypto),
                "phones": None if old == new else phones_with(kind, old, new, crypto),
            }
        signers = [f"{header.subject} (serial {header.serial.hex()})" for header in (Header(old), Header(new))]
        return {"kind": "signed", "signer": signers}
    except PhonetrustError as error:
        if kinds == {None}:
            return {"kind": "file"}
        return {"kind": "file", "error": str(error)}
