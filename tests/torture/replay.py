# SPDX-License-Identifier: MIT
"""Every file that was ever signed, presented to every phone as everything.

A file that the phone accepts and a second reader cannot justify counts as wrongly accepted.

The second reader (tests/helpers/lab/independent_reader.py) shares no code with the agent. It says which installed certificate
signed a file. A table of attacks by name says, besides, what each must come to."""

import time
from pathlib import Path

from cryptography.exceptions import InvalidSignature

from agent.errors import Refused
from agent.trust.decision import Answer, Question
from agent.trust.rules import Trust
from hal.host import crypto
from tests.helpers.agent.both import ROOT
from tests.helpers.lab.independent_reader import File
from tests.torture.tally import Tally

DEVICE = "SEP00270DC01C92"
FOLDERS = ("vectors", "vectors-clusters", "vectors_own")
OWN = DEVICE + ".cnf.xml"
#: what a file may be presented as
NAMES = (
    "itl",
    "ctl",
    OWN + ".sgn",
    OWN + ".enc.sgn",
    "XMLDefault.cnf.xml.sgn",
    "SEP001122334455.cnf.xml.sgn",
    "load.bin.sgn",
)
V, C = "vectors/", "vectors-clusters/"
#: name of the phone -> installed (ITL, CTL)
PHONES = {
    "new": (None, None),
    "ITL": (V + "itl-base.tlv", None),
    "ITL and CTL": (V + "itl-base.tlv", V + "ctl-mixed.tlv"),
    "after a rollback": (V + "itl-rollback.tlv", None),
    "another cluster's": (V + "itl-othercluster.tlv", None),
    "second cluster's": (C + "full.tlv", None),
    "second cluster's with CTL": (C + "full.tlv", C + "ctl-mixed.tlv"),
    "second cluster's, blank": (C + "blank.tlv", None),
}
SAST, CCM_TFTP, TFTP = 0, 2, 3
#: (attack, phone, file, as what, expected outcome). Faults of replay are judged with replay = "refuse".
ATTACKS = (
    ("a CTL in place of the ITL", "ITL and CTL", V + "ctl-mixed.tlv", "itl", "refused wrong-file"),
    ("an ITL in place of the CTL", "ITL", V + "itl-base.tlv", "ctl", "refused wrong-file"),
    ("a CTL as the first ITL of a new phone", "new", V + "ctl-mixed.tlv", "itl", "refused wrong-file"),
    ("a configuration in place of the ITL", "ITL", V + "cfg-sha512.cnf.xml.sgn", "itl", "refused malformed"),
    ("another cluster's ITL", "ITL", V + "itl-othercluster.tlv", "itl", "refused tvs-unreachable"),
    ("another cluster's ITL, CTL installed", "ITL and CTL", V + "itl-othercluster.tlv", "itl", "refused tvs-unreachable"),
    ("another cluster's ITL after a rollback", "after a rollback", V + "itl-othercluster.tlv", "itl", "refused unknown-signer"),
    ("another cluster's configuration", "ITL", V + "cfg-other.cnf.xml.sgn", OWN + ".sgn", "refused tvs-unreachable"),
    ("own configuration as another phone's", "ITL", V + "cfg-sha1.cnf.xml.sgn", NAMES[5], "refused wrong-file"),
    ("own configuration as the default one", "ITL", V + "cfg-sha1.cnf.xml.sgn", NAMES[4], "refused wrong-file"),
    ("a plain configuration as the encrypted one", "ITL", V + "cfg-sha1.cnf.xml.sgn", OWN + ".enc.sgn", "refused wrong-file"),
    ("the encrypted configuration as the plain one", "ITL", V + OWN + ".enc.sgn", OWN + ".sgn", "refused wrong-file"),
    ("a load in place of the configuration", "ITL", V + "load.bin.sgn", OWN + ".sgn", "refused too-large"),
    ("an empty list of another cluster", "second cluster's", C + "blank-foreign.tlv", "itl", "refused tvs-unreachable"),
    ("an older empty list", "second cluster's", C + "blank-older.tlv", "itl", "refused older-than-installed"),
    ("an older ITL", "second cluster's", C + "full-older.tlv", "itl", "refused older-than-installed"),
    ("an older CTL", "second cluster's with CTL", C + "ctl-older.tlv", "ctl", "refused older-than-installed"),
    ("an ITL in place of a CTL, second cluster", "second cluster's with CTL", C + "full.tlv", "ctl", "refused wrong-file"),
)  # fmt: skip


def run(effort):
    """Two lines: attacks by name, and the product of all files, names and phones."""
    return [named(), product(effort)]


def judge(trust, kind, data, answer=None):
    """A Decision; TVS answers `answer`, unreachable without."""
    found = trust.decide_list(kind, data) if kind in ("itl", "ctl") else trust.decide_file(kind, data)
    while isinstance(found, Question):
        found = trust.answer(found, answer or Answer("unreachable"))
    return found


def make(phone, replay="refuse", library=None):
    """The Trust of a phone of PHONES."""
    itl, ctl = (name and read(name) for name in PHONES[phone])
    return Trust(library or crypto("native"), itl=itl, ctl=ctl, device=DEVICE, replay=replay)


def read(name):
    return (Path(ROOT) / "tests" / name).read_bytes()


def named():
    """The table of attacks and outcomes."""
    tally = Tally("replay and mix-up: attacks by name", "with the setting replay = refuse; its table is below.")
    tally.rows = [("attack", "phone", "outcome")]
    for attack, phone, file, kind, expected in ATTACKS:
        begun = time.monotonic()
        decision = judge(make(phone), kind, read(file))
        outcome = f"{decision.outcome} {decision.reason}"
        took = time.monotonic() - begun
        tally.rows.append((attack, phone, outcome))
        if decision.accepted:
            tally.accept(f"{attack}: {outcome}, expected {expected}", took)
        elif outcome != expected:
            tally.lose(f"{attack}: {outcome}, expected {expected}", took)
        else:
            tally.survive(took)
    return tally


def product(effort):
    """Every file as everything on every phone, both cryptos and both answers to what is older."""
    tally = Tally(
        "replay and mix-up: every file as everything", f"{len(NAMES)} names, {len(PHONES)} phones, both cryptos."
    )
    files = [path for folder in FOLDERS for path in sorted((Path(ROOT) / "tests" / folder).iterdir())]
    files = [path for path in files if path.suffix in (".tlv", ".sgn") and not path.name.startswith("bad-")]
    if effort.short:
        files = [path for path in files if path.stat().st_size < 12000][:: 2 if effort.seconds < 30 else 1]
    for backend in ("native",) if effort.short else ("native", "cryptography"):
        library = crypto(backend)
        for phone in PHONES:
            trust = {replay: make(phone, replay, library) for replay in ("warn", "refuse")}
            for path in files:
                data = path.read_bytes()
                for name in NAMES:
                    for replay in trust:
                        _one(tally, trust[replay], phone, path, name, data, replay)
    return tally


def _one(tally, trust, phone, path, name, data, replay):
    label = f"{path.parent.name}/{path.name} as {name}, phone: {phone}, replay {replay}"
    begun = time.monotonic()
    try:
        decision = judge(trust, name, data)
    except Refused as error:
        return tally.lose(f"{label}: {error!r}", time.monotonic() - begun)
    took = time.monotonic() - begun
    fault = unjustified(decision, phone, name, data, replay) if decision.accepted else None
    if fault:
        tally.accept(f"{label}: {decision.reason}: {fault}", took)
    else:
        tally.survive(took)


def unjustified(decision, phone, name, data, replay):
    """Why a second reader would not accept this; None where it would."""
    itl, ctl = (part and read(part) for part in PHONES[phone])
    installed = ctl if name == "ctl" else itl
    if decision.reason == "unchanged":
        return None if data == installed else "the bytes are others"
    file = File(data)
    filename = file.text(14)
    is_list = name in ("itl", "ctl")
    if not is_list and filename != name:
        return f"the file says that it is {filename}"
    if is_list and (name.upper() not in filename or not filename.endswith(".tlv")):
        return f"the list says that it is {filename}"
    if decision.reason in ("first-use", "after-rollback"):
        if ctl or (itl and not blank(itl)):
            return "something is installed"
        return None if signed_by(file, file, (SAST,)) else "it is not signed by its own SAST"
    age = File(installed).fields.get(15, b"") if is_list and installed else b""
    if age > file.fields.get(15, b"") and replay == "refuse" and decision.reason.startswith("signed-by"):
        return "it is older than the installed one"  # of the same clock: docs/spec/rules.md, A3
    roles = (SAST, CCM_TFTP) if is_list else (TFTP, CCM_TFTP)
    if any(part and signed_by(file, File(part), roles) for part in (ctl, itl)):
        return None
    return "no installed certificate of the role signed it"


def signed_by(file, trust_list, roles):
    """Whether a certificate of the list in one of `roles` signed the file."""
    for role, certificate in trust_list.roles():
        if role in roles and certificate:
            try:
                file.verify(certificate)
            except (InvalidSignature, TypeError):
                continue
            return True
    return False


def blank(itl):
    """Whether the list names servers, all without certificates."""
    servers = [certificate for role, certificate in File(itl).roles() if role in (TFTP, CCM_TFTP, 21)]
    return bool(servers) and not any(servers)
