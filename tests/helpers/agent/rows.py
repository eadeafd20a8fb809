# SPDX-License-Identifier: MIT
"""The rows of expected.json in tests/vectors and tests/vectors-clusters, decided by agent.trust, on both Pythons.

As a program (MicroPython: MICROPYPATH=. host_tools/setup/micropython tests/helpers/agent/rows.py) it prints one JSON
object a row with what was decided, in the order of the file."""

import binascii
import json
import sys

from agent.formats import names
from agent.trust.decision import Answer, Question
from agent.trust.rules import Trust
from tests.helpers.agent.both import crypto, vector

#: The phone of the rows.
DEVICE = "SEP00270DC01C92"
#: The folders with a truth table.
SETS = ("vectors", "vectors-clusters")


def read_rows():
    """The truth tables: a list of dictionaries; each has the folder of its files as `set`."""
    rows = []
    for folder in SETS:
        for row in json.loads(vector("expected.json", folder)):
            row["set"] = folder
            rows.append(row)
    return rows


def row_name(row):
    """A name that distinguishes a row from the others."""
    parts = [row["set"][8:] or "first", row["candidate"], "as", row["kind"], "itl", row["installed_itl"] or "none"]
    parts += ["ctl", row["installed_ctl"] or "none", "tvs", tvs_text(row["tvs"])]
    return "-".join(parts + [row[setting] for setting in ("policy", "replay") if setting in row])


def tvs_text(tvs):
    if not isinstance(tvs, dict):
        return tvs or "none"
    return "+".join(["%s(%s)" % (file, ",".join(tvs[file])) for file in sorted(tvs)]) or "empty"


def der(name, folder="vectors"):
    """The certificate of a PEM vector."""
    lines = vector(name, folder).decode().split("-----")[2].strip().split("\n")
    return binascii.a2b_base64("".join(lines))


def answer(question, row, library):
    """The answer of the row's TVS. It refuses a certificate that it does not list."""
    tvs = row["tvs"]
    if not isinstance(tvs, dict):
        return Answer("unreachable")
    for file in tvs:
        certificate = der(file, row["set"])
        fields = library.certificate(certificate)
        if question.request == "query":
            asked = fields.serial == question.serial and names.same(question.issuer, fields.issuer)
        else:
            asked = certificate == question.certificate
        if asked:
            return Answer("valid", certificate, [names.role_number(role) for role in tvs[file]])
    return Answer("refused")


def decide(row, library):
    """What the agent decides about a row: outcome, reason, text, and for accepted lists whether empty, and the mode."""
    itl = vector(row["installed_itl"], row["set"]) if row["installed_itl"] else None
    ctl = vector(row["installed_ctl"], row["set"]) if row["installed_ctl"] else None
    replay = row.get("replay", "warn")
    trust = Trust(library, row.get("policy", "first-use"), itl=itl, ctl=ctl, replay=replay, device=DEVICE)
    data = vector(row["candidate"], row["set"])
    if row["kind"] in ("itl", "ctl"):
        decision = trust.decide_list(row["kind"], data)
    else:
        decision = trust.decide_file(row["kind"], data, limit=1 << 20)
    while isinstance(decision, Question):
        decision = trust.answer(decision, answer(decision, row, library))
    found = {"outcome": decision.outcome, "reason": decision.reason, "text": decision.text}
    if decision.accepted and row["kind"] in ("itl", "ctl"):
        trust.install(row["kind"], decision.trust_list)
        found["empty"] = decision.trust_list.empty
    found["mode"] = trust.mode
    return found


def differences(row, found):
    """The fields of the row that differ from what was found: {field: (expected, found)}."""
    fields = [field for field in ("outcome", "reason", "empty", "mode") if field in row]
    return {field: (row[field], found.get(field)) for field in fields if row[field] != found.get(field)}


if __name__ == "__main__":
    one_library = crypto()
    for one_row in read_rows():
        print(json.dumps(decide(one_row, one_library)))
    sys.exit(0)
