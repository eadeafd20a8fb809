# SPDX-License-Identifier: MIT
"""libphonetrust and `cryptography` decide alike about whole files, damaged anywhere, so a PC's forecast is right for phones."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.formats import names
from agent.trust.decision import Answer, Question
from agent.trust.rules import Trust
from hal.host import crypto
from tests.helpers.agent.both import vector
from tests.helpers.agent.building import inside
from tests.helpers.agent.judging import NAME

LISTS = [("vectors", name) for name in ("itl-base.tlv", "itl-dn.tlv", "itl-1024.tlv", "itl-sha512.tlv")] + [
    ("vectors-clusters", name) for name in ("full.tlv", "blank.tlv", "open-https.tlv", "utf8.tlv")
]
FILES = [
    ("vectors", "cfg-sha512.cnf.xml.sgn"),
    ("vectors-clusters", "cfg.cnf.xml.sgn"),
    ("vectors-clusters", "cfg-ec-as-rsa.cnf.xml.sgn"),
]
INSTALLED = {"vectors": "itl-base.tlv", "vectors-clusters": "open-https.tlv"}
LIBRARIES = [crypto(name) for name in ("native", "cryptography")]

damage = st.lists(
    st.tuples(st.integers(0, 1 << 20), st.sampled_from(["flip", "set", "drop", "double"]), st.integers(0, 255)),
    max_size=3,
)


def damaged(data, changes):
    data = bytearray(data)
    for place, how, value in changes:
        at = place % max(len(data), 1)
        if how == "flip":
            data[at] ^= 1 << value % 8
        elif how == "set":
            data[at] = value
        elif how == "drop":
            del data[at : at + value % 4]
        else:
            data[at:at] = data[at : at + value % 4]
    return bytes(data)


def decided(library, kind, data, itl, vouched):
    """What a phone with this ITL (None: none) decides; TVS vouches for every certificate that it is asked about."""
    trust = Trust(library, itl=itl)
    decision = trust.decide_list(kind, data) if kind == "itl" else trust.decide_file(kind, data)
    while isinstance(decision, Question):
        decision = trust.answer(decision, Answer("valid", vouched, (names.SAST, names.TFTP)))
    return decision.as_dict()


def same(kind, data, itl, vouched=None):
    found = [decided(library, kind, data, itl, vouched) for library in LIBRARIES]
    reasons = [(one["outcome"], one["reason"]) for one in found]
    assert reasons[0] == reasons[1], [one["text"] for one in found]
    if reasons[0][1] not in ("malformed", "record-mismatch"):  # whose words about a certificate's fault differ
        assert found[0] == found[1]
    return reasons[0]


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(LISTS), damage, st.booleans())
def test_lists(which, changes, has_trust):
    folder, name = which
    itl = vector(INSTALLED[folder], folder) if has_trust else None
    same("itl", damaged(vector(name, folder), changes), itl)


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(FILES), damage)
def test_signed_files(which, changes):
    folder, name = which
    same(NAME, damaged(vector(name, folder), changes), vector(INSTALLED[folder], folder))


def certificate_of(folder, name):
    """The first certificate of a list, and where it stands."""
    data = vector(name, folder)
    record = next(Trust(LIBRARIES[0], itl=data).itl.records())
    return data, data.index(record.certificate), record.certificate


@pytest.mark.parametrize("which", LISTS[:2] + LISTS[4:5])
def test_every_byte_of_a_certificate(which):
    """Each byte in turn, in its lowest and its highest bit: the two libraries read the same certificates."""
    data, at, certificate = certificate_of(*which)
    seen = set()
    for place in range(len(certificate)):
        for bit in (1, 0x80):
            changed = bytearray(data)
            changed[at + place] ^= bit
            seen.add(same("itl", bytes(changed), None))
    assert ("refused", "malformed") in seen and ("refused", "bad-signature") in seen and len(inside(certificate)) == 1


@settings(max_examples=300)
@given(damage)
def test_what_tvs_gives(changes):
    """A certificate from TVS is untrusted bytes, too."""
    data = vector("itl-tftpregen-selfsigned.tlv")
    own = [one for one in Trust(LIBRARIES[0], itl=data).itl.with_roles((names.SAST,))]
    itl = vector("itl-base.tlv")
    for record in own:
        same("itl", data, itl, damaged(record.certificate, changes))
