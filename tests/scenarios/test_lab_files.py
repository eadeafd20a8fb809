# SPDX-License-Identifier: MIT
"""What the lab writes, byte for byte: against an independent reader, the vectors, and the phone's own parser."""

import struct
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization

from agent.formats.trustlist import TrustList
from agent.trust.rules import Trust
from hal.host.with_cryptography import HostCrypto
from host_tools.lab.errors import LabError
from host_tools.lab.model.keys import make_identity
from host_tools.lab.writers import files
from tests.helpers.lab.independent_reader import File, name_pairs
from tests.helpers.lab.key_pool import PooledKeys
from tests.helpers.lab.raw_clients import tftp_read

VECTORS = Path(__file__).resolve().parents[1] / "vectors"
SGN = "SEP00270DC01C92.cnf.xml.sgn"


def own_list(**options):
    signer = make_identity("signer.example", PooledKeys().rsa())
    records = [files.record(signer.certificate, files.SAST), files.record(signer.certificate, files.TFTP, "host")]
    return signer, files.trust_list(files.ITL_NAME, signer, records, 1700000000, **options)


@pytest.mark.parametrize("digest, vector", [("sha1", "itl-base.tlv"), ("sha512", "itl-sha512.tlv")])
def test_header_has_the_fields_and_order_of_real_lists(digest, vector):
    signer, data = own_list(digest=digest, knows_ec=digest != "sha1")
    ours, theirs = File(data), File((VECTORS / vector).read_bytes())
    unpadded = [tag for tag in ours.order if tag != 13]
    assert unpadded == [tag for tag in theirs.order if tag != 13]
    for tag in (1, 28, 8, 10, 11, 14):
        assert ours.fields[tag] == theirs.fields[tag], tag
    assert len(ours.fields[7]) == 15 and len(ours.fields[9]) == 8
    assert ours.header_length % 4 == 0 and ours.order.count(13) < 4
    assert ours.fields[15] == struct.pack(">I", 1700000000)
    ours.verify(signer.der)


def test_records_have_the_fields_and_order_of_real_ones():
    _signer, data = own_list()
    certificate = x509.load_der_x509_certificate(File(data).records()[0][9])
    theirs = File((VECTORS / "itl-base.tlv").read_bytes()).records()[0]
    record = File(data).records()[0]
    assert list(record) == list(theirs) == [3, 5, 6, 4, 7, 8, 9]
    assert record[8] == certificate.signature
    assert name_pairs(record[3][:-1].decode()) == sorted(
        (rdn.rfc4514_attribute_name, rdn.value) for rdn in certificate.subject
    )
    assert int.from_bytes(record[6], "big") == certificate.serial_number and record[6][0] != 0
    assert File(data).records()[1][2] == b"host\0"


def test_a_changed_byte_anywhere_breaks_the_signature():
    signer, data = own_list()
    for offset in (6, 20, File(data).header_length - 8, len(data) - 1):
        changed = bytearray(data)
        changed[offset] ^= 1
        try:
            file = File(bytes(changed))
        except (AssertionError, struct.error):
            continue  # not even readable
        with pytest.raises(InvalidSignature):
            file.verify(signer.der)


def test_serial_with_its_top_bit_set_has_no_leading_zero():
    assert files.serial_bytes(0x80FF) == b"\x80\xff"
    assert files.serial_bytes(0) == b"\0"


def test_a_signer_with_an_ec_key_is_refused_in_a_sentence():
    signer = make_identity("ec.example", PooledKeys().ec())
    with pytest.raises(LabError, match="RSA"):
        files.signed_file("x.sgn", b"", signer, 0)


@pytest.mark.parametrize("kind", ["modern", "classic", "tokens"])
@pytest.mark.parametrize("digest", ["sha1", "sha512"])
def test_a_phone_takes_the_itl_on_first_use_and_the_configuration_after_it(new_cluster, kind, digest):
    cluster = new_cluster(nodes=2, kind=kind, mixed=False, digest=digest)
    crypto = HostCrypto()
    trust = Trust(crypto)
    for node in (1, 2):
        decision = trust.decide_list("itl", cluster.published("ITLFile.tlv", node))
        assert (decision.outcome, decision.reason) == ("accepted", "first-use")
    itl = TrustList(cluster.published("ITLFile.tlv", 1), crypto, 65536)
    trust = Trust(crypto, itl=cluster.published("ITLFile.tlv", 1))
    decision = trust.decide_file(SGN, cluster.published(SGN, 1))
    assert (decision.outcome, decision.reason) == ("accepted", "signed-by-itl")
    roles = [record.role for record in itl.records()]
    assert roles.count(files.TVS) == 2 and roles.count(files.CAPF) == 1 and files.CCM_TFTP not in roles
    assert trust.mode == "nonsecure"


def test_mixed_mode_has_a_ctl_that_makes_the_phone_mixed(new_cluster):
    cluster = new_cluster(nodes=2, mixed=True, kind="tokens")
    crypto = HostCrypto()
    ctl = cluster.published("CTLFile.tlv")
    assert Trust(crypto).decide_list("ctl", ctl).reason == "first-use"
    trust = Trust(crypto, ctl=ctl)
    assert trust.mode == "mixed"
    decision = trust.decide_list("itl", cluster.published("ITLFile.tlv"))
    assert (decision.outcome, decision.reason) == ("accepted", "signed-by-ctl")
    roles = File(ctl).roles()
    assert [der for role, der in roles if role == files.SAST] == [
        cluster.certificate("token-1"),
        cluster.certificate("token-2"),
    ]
    assert [der for role, der in roles if role == files.CCM_TFTP] == [
        cluster.certificate("callmanager", 1),
        cluster.certificate("callmanager", 2),
    ]


def test_the_list_stays_byte_for_byte_until_something_in_it_changes(cluster):
    before = cluster.published("ITLFile.tlv")
    configuration = cluster.published(SGN)
    cluster.add_phone("001122334455")
    cluster.set_ports({1: {"tvs": 2445}})
    assert cluster.published("ITLFile.tlv") == before
    assert cluster.published(SGN) != configuration
    cluster.regenerate("capf")
    after = cluster.published("ITLFile.tlv")
    assert after != before and File(after).fields[15] > File(before).fields[15]


def test_configuration_names_each_tvs_by_priority(new_cluster):
    cluster = new_cluster(nodes=2, address="198.51.100.7")
    cluster.set_ports({1: {"tvs": 2445}, 2: {"tvs": 2446}})
    body = File(cluster.published(SGN)).body
    assert b'<member priority="0"><port>2445</port><address>198.51.100.7</address></member>' in body
    assert b'<member priority="1"><port>2446</port>' in body


def test_third_party_certificates_are_issued_by_the_ca(classic):
    classic.regenerate("tftp", ca=True)
    signer = x509.load_der_x509_certificate(classic.certificate("tftp"))
    authority = x509.load_der_x509_certificate(classic.certificate("ca"))
    signer.verify_directly_issued_by(authority)
    assert signer.issuer != signer.subject
    file = File(classic.published("ITLFile.tlv"))
    assert name_pairs(file.text(6)) == name_pairs(files.name_text(authority.subject))
    file.verify(classic.certificate("tftp"))


def test_private_keys_are_readable_by_the_owner_only(cluster):
    for path in (cluster.state.folder / "identities").iterdir():
        assert path.stat().st_mode & 0o077 == 0
        assert serialization.load_pem_private_key(path.read_bytes(), None)
    assert cluster.state.folder.stat().st_mode & 0o077 == 0


def test_files_that_people_add_are_handed_out_plain_and_signed(cluster):
    name, content = "New_Zealand/g3-tones.xml", b"<tones/>\n"
    cluster.add_file(name, content)
    file = File(cluster.published(f"{name}.sgn"))
    file.verify(cluster.certificate("tftp"))
    assert file.body == content == cluster.published(name) and file.text(14) == f"{name}.sgn"
    with cluster.serve() as serving:
        assert tftp_read(serving.tftp_port(), f"{name}.sgn")[0] == file.data
    cluster.remove_file(name)
    assert cluster.published(name) is cluster.published(f"{name}.sgn") is None
    with pytest.raises(LabError, match="no file"):
        cluster.remove_file(name)
    for bad in ("../x", "/etc/x", "a//b", ".x", ""):
        with pytest.raises(LabError, match="cannot be the name"):
            cluster.add_file(bad, b"")
    with pytest.raises(LabError, match="own files"):
        cluster.add_file("ITLFile.tlv", b"")
