# SPDX-License-Identifier: MIT
"""Signed and unsigned files, weak keys, the mode, autoregistration, lost trust (docs/spec/rules.md)."""

from agent.formats import names
from agent.formats.header import Header
from agent.formats.signedfile import read
from agent.trust.decision import Answer
from agent.trust.signature import verifies
from tests.helpers.agent import building
from tests.helpers.agent.both import vector
from tests.helpers.agent.building import der, library, record, text, tlv, trust_list
from tests.helpers.agent.judging import (
    CUCM,
    CUCM_NEW,
    EC,
    NAME,
    OTHER,
    PLAIN,
    SAST,
    TOMCAT,
    TVS,
    ctl_of,
    decide,
    itl_of,
    reason,
    rollback,
    server,
    trust,
    vouch,
)

# Signed files


def test_signed_files_by_role():
    for role in (names.TFTP, names.CCM_TFTP):
        assert reason(trust(itl_of((role, CUCM))), NAME, "cfg-sha512.cnf.xml.sgn") == "accepted signed-by-itl"
        assert reason(trust(None, ctl_of((role, CUCM))), NAME, "cfg-sha512.cnf.xml.sgn") == "accepted signed-by-ctl"
    both = trust(itl_of((names.TFTP, CUCM)), ctl_of((names.CCM_TFTP, CUCM)))
    assert reason(both, NAME, "cfg-sha512.cnf.xml.sgn") == "accepted signed-by-ctl"
    for role in (names.SAST, names.CCM, names.CAPF, names.APP_SERVER):
        itl = itl_of((role, CUCM), (names.TFTP, SAST))
        assert reason(trust(itl), NAME, "cfg-sha512.cnf.xml.sgn") == "refused unknown-signer", role
        assert reason(trust(None, ctl_of((role, CUCM))), NAME, "cfg-sha512.cnf.xml.sgn") == "refused unknown-signer", (
            role
        )


def test_signed_files_name():
    assert reason(trust("itl-base.tlv"), "SEP001122334455.cnf.xml.sgn", "cfg-sha1.cnf.xml.sgn") == "refused wrong-file"
    assert reason(trust("itl-base.tlv"), NAME.lower() + ".sgn", "cfg-sha1.cnf.xml.sgn") == "refused wrong-file"
    assert reason(trust("itl-base.tlv"), NAME, "bad-cfg-body.cnf.xml.sgn") == "refused bad-signature"
    # the name goes before the signature and before TVS
    assert reason(trust("itl-base.tlv"), "XMLDefault.cnf.xml.sgn", "cfg-new.cnf.xml.sgn") == "refused wrong-file"


def test_signed_files_answers_of_tvs():
    def about(answer):
        return reason(trust("itl-base.tlv"), NAME, "cfg-new.cnf.xml.sgn", answer)

    assert about(vouch(CUCM_NEW, 3)) == "accepted vouched-by-tvs"
    assert about(vouch(CUCM_NEW, 2)) == "accepted vouched-by-tvs"
    assert about(vouch(CUCM_NEW, 0, 1, 4, 7, 21)) == "refused tvs-wrong-role"
    assert about(vouch(OTHER, 3)) == "refused tvs-refused"
    assert about(Answer("untrusted")) == "refused tvs-untrusted"


def test_signed_files_bytes_or_stream():
    data = vector("cfg-sha512.cnf.xml.sgn")
    phone = trust("itl-base.tlv")
    decision = phone.decide_file(NAME, read(data, library()))
    assert decision.reason == "signed-by-itl" and decision.body == 484
    assert phone.decide_file(NAME, memoryview(data)).body == 484
    assert data[484:].startswith(b"<?xml")


def test_signed_files_size_and_form():
    phone = trust("itl-base.tlv")
    data = vector("cfg-sha512.cnf.xml.sgn")
    assert phone.decide_file(NAME, data, len(data) - 1).reason == "too-large"
    assert phone.decide_file(NAME, data, len(data)).reason == "signed-by-itl"
    decision = decide(phone, NAME, vector(PLAIN))
    assert decision.reason == "malformed" and NAME in decision.text
    assert reason(phone, NAME, b"") == "refused malformed"


def test_signed_files_without_any_list():
    assert reason(trust(), NAME, "cfg-sha512.cnf.xml.sgn") == "refused unknown-signer"


def test_a_key_that_signs_no_such_file_is_a_bad_signature():
    itl = trust_list([record(names.TFTP, "cucmec.cert.pem")], SAST)
    fields = building.fields("cucmec.cert.pem")
    by_ec = building.signer(names.to_text(fields.subject), names.to_text(fields.issuer), fields.serial)
    data = building.signed_file(NAME, b"<device/>", signer=by_ec)
    assert reason(trust(itl), NAME, data) == "refused bad-signature"


def test_an_ec_key_verifies_no_file_whose_header_says_rsa():
    """Whatever its bytes: these are a good ECDSA signature in the place of an RSA one."""
    itl = vector("open-https.tlv", "vectors-clusters")
    forged = vector("cfg-ec-as-rsa.cnf.xml.sgn", "vectors-clusters")
    for strict in (False, True):  # 256 bits are few for an RSA key only
        decision = decide(trust(itl, refuse_weak=strict), NAME, forged)
        assert (decision.reason, decision.warnings) == ("bad-signature", [])
    assert reason(trust(itl), NAME, vector("cfg.cnf.xml.sgn", "vectors-clusters")) == "accepted signed-by-itl"
    # TVS' word does not change that.
    asked = trust(itl_of((names.SAST, SAST), (names.TVS, TVS), (names.TFTP, CUCM)))
    certificate = vector("cfg-ec-as-rsa.cnf.xml.sgn", "vectors-clusters")
    question = asked.decide_file(NAME, certificate)
    ec = [record for record in trust(itl).itl.records() if record.key_kind == "ec" and record.role == names.TFTP][0]
    decision = asked.answer(question, Answer("valid", ec.certificate, (names.TFTP,)))
    assert (decision.outcome, decision.reason) == ("refused", "bad-signature")


def test_signatures_of_other_kinds_are_not_supported():
    data = building.signed_file(NAME, b"<device/>", signature_info=building.signature_info(algorithm=1))
    decision = decide(trust("itl-base.tlv"), NAME, data)
    assert (decision.outcome, decision.reason) == ("refused", "unsupported") and "tag 10" in decision.text
    itl = trust_list([record(0, SAST)], SAST, signature_info=building.signature_info(algorithm=2))
    assert reason(trust(), "itl", itl) == "refused unsupported"


# Unsigned files, autoregistration


def test_unsigned_files():
    assert reason(trust(), PLAIN, b"") == "accepted no-trust-list"
    assert reason(trust("itl-base.tlv"), PLAIN, b"") == "refused unsigned"
    assert reason(trust(rollback()), PLAIN, b"") == "accepted after-rollback"
    assert reason(trust(rollback(), "ctl-mixed.tlv"), PLAIN, b"") == "refused unsigned"
    assert reason(trust(None, "ctl-nonsecure.tlv"), PLAIN, b"") == "refused unsigned"


def test_unsigned_files_where_the_lists_name_no_signer_of_files():
    phone = trust(itl_of((names.SAST, SAST), (names.CCM, CUCM), (names.APP_SERVER, TOMCAT)))
    decision = phone.decide_unsigned(PLAIN)
    assert (decision.outcome, decision.reason) == ("accepted", "no-file-signer") and len(decision.warnings) == 1
    assert reason(trust("itl-rollback.tlv"), PLAIN, b"") == "accepted no-file-signer", "one SAST and nothing else"
    for role in (names.TFTP, names.CCM_TFTP):
        assert reason(trust(itl_of((names.SAST, SAST), (role, CUCM))), PLAIN, b"") == "refused unsigned", role
        assert reason(trust(itl_of((names.SAST, SAST)), ctl_of((role, CUCM))), PLAIN, b"") == "refused unsigned", role
        # An EC key signs no file, but who lists it means to protect them.
        assert reason(trust(itl_of((names.SAST, SAST), (role, EC))), PLAIN, b"") == "refused unsigned", role
    # An empty ITL and a CTL without a signer of files: not after a rollback, but nobody signs.
    assert reason(trust(rollback(), ctl_of((names.SAST, SAST))), PLAIN, b"") == "accepted no-file-signer"


def https(phone, certificate, answer=None):
    """The Decision about a server of configuration."""
    decision = phone.decide_server("configuration", der(certificate))
    return phone.answer(decision, answer) if decision.accepted is None else decision


def test_bodies_of_https_answers():
    phone = trust(itl_of((names.SAST, SAST), (names.TFTP, EC), (names.TVS, TVS)))
    good = https(phone, EC)
    body = phone.decide_body(NAME, vector(PLAIN), good)
    assert (body.outcome, body.reason, body.kind, body.body) == ("accepted", "from-trusted-server", NAME, 0)
    # A signed one is judged as signed, whoever handed it out.
    assert phone.decide_body(NAME, vector("bad-cfg-body.cnf.xml.sgn"), good).accepted is None, "TVS is asked"
    signed = trust("itl-base.tlv").decide_body(NAME, vector("cfg-sha512.cnf.xml.sgn"), good)
    assert signed.reason == "signed-by-itl" and signed.body == 484
    bad = trust("itl-base.tlv").decide_body(NAME, vector("bad-cfg-body.cnf.xml.sgn"), good)
    assert (bad.outcome, bad.reason) == ("refused", "bad-signature")
    # Refused servers, servers for something else, and no server at all vouch for nothing.
    for server_decision in (
        https(phone, TOMCAT),
        https(trust(), EC),
        https(phone, OTHER),
        phone.decide_server("tvs", der(TVS)),
        None,
    ):
        assert phone.decide_body(NAME, vector(PLAIN), server_decision).reason == "unsigned", server_decision
    vouched = https(trust("itl-base.tlv"), EC, Answer("valid", None, (names.TFTP,)))
    assert trust("itl-base.tlv").decide_body(NAME, vector(PLAIN), vouched).reason == "from-trusted-server"
    assert trust(lost=True).decide_body(NAME, vector(PLAIN), good).reason == "trust-lost"


def test_when_configuration_is_asked_for_by_https():
    def announces(version):
        return trust(
            trust_list([record(0, SAST), record(3, CUCM)], SAST, signer_version=version)
        ).configuration_by_https

    assert announces(tlv(28, b"\1\1")) and announces(tlv(28, b"\1\2")) and announces(tlv(28, b"\2\0"))
    assert not announces(tlv(28, b"\1\0")) and not announces(None)
    assert not trust().configuration_by_https and not trust(rollback()).configuration_by_https
    assert not trust(None, "ctl-mixed.tlv").configuration_by_https, "the ITL says it"


def test_autoregistration():
    def about(phone):
        decision = phone.decide_autoregistration("XMLDefault.cnf.xml")
        return decision.outcome + " " + decision.reason

    assert about(trust()) == "accepted nonsecure"
    assert about(trust(None, "ctl-nonsecure.tlv")) == "accepted nonsecure"
    assert about(trust(itl_of((0, SAST), (names.TFTP, CUCM)))) == "accepted nonsecure"
    assert about(trust(None, "ctl-mixed.tlv")) == "refused mixed-mode"


def test_mode():
    assert trust().mode == "nonsecure"
    assert trust(None, "ctl-mixed.tlv").mode == "mixed"
    assert trust(None, "ctl-nonsecure.tlv").mode == "nonsecure"
    assert trust("itl-base.tlv").mode == "mixed", "without a CTL its ITL decides"
    assert trust("itl-base.tlv", "ctl-nonsecure.tlv").mode == "nonsecure", "the CTL goes first"
    for role, mode in ((1, "mixed"), (2, "mixed"), (0, "nonsecure"), (3, "nonsecure"), (4, "nonsecure")):
        assert trust(None, ctl_of((role, CUCM))).mode == mode, role
    assert trust(None, trust_list([record(names.CCM_TFTP)], SAST, "CTLFile.tlv")).mode == "nonsecure", "no certificate"


class Agreeable:
    """Cryptography that calls every signature good, or fails with `error`."""

    def __init__(self, error=None):
        self.error = error

    def verify(self, certificate, algorithm, digest, signature):
        if self.error:
            raise self.error
        return True


def test_only_an_rsa_key_verifies_and_a_key_that_cannot_does_not():
    header = Header(vector("itl-base.tlv"))
    for kind, crypto, expected in (
        ("rsa", Agreeable(), True),
        ("ec", Agreeable(), False),
        ("other", Agreeable(), False),
        ("rsa", Agreeable(ValueError("a key of 512 bits")), False),
    ):
        assert verifies(crypto, kind, b"certificate", header, b"digest") is expected, kind


# Weak keys and digests


def weak_list(signed_by):
    return trust_list(
        [record(0, signed_by)],
        signed_by,
        signature_info=building.signature_info(modulus=0),
        signature=tlv(12, bytes(64)),
    )


def test_keys_under_1024_bits_are_refused():
    weak = building.WEAK_CERTIFICATE
    assert building.fields(weak).key_bits == 512
    decision = decide(trust(), "itl", weak_list(weak))
    assert decision.reason == "weak-key" and "512 bits" in decision.text and decision.accepted is False
    installed_itl = trust_list([record(0, weak), record(3, CUCM)], SAST)
    assert reason(trust(installed_itl), "itl", weak_list(weak)) == "refused weak-key"
    signed = building.header(
        filename=text(14, NAME),
        signer=building.signer("CN=weak,O=Lab", "CN=weak,O=Lab", building.fields(weak).serial),
        signature_info=building.signature_info(modulus=0),
        signature=tlv(12, bytes(64)),
    )
    assert reason(trust(trust_list([record(3, weak)], SAST)), NAME, signed) == "refused weak-key"
    answer = Answer("valid", weak, (0, 3), 60)
    assert reason(trust("itl-base.tlv"), "itl", weak_list(weak), answer) == "refused weak-key"
    assert reason(trust("itl-base.tlv"), NAME, signed, answer) == "refused weak-key"


def test_weak_ones_are_accepted_with_a_warning():
    decision = decide(trust(), "itl", "itl-1024.tlv")
    assert decision.reason == "first-use"
    assert len(decision.warnings) == 2 and "1024 bits" in decision.warnings[0] and "SHA-1" in decision.warnings[1]
    decision = decide(trust("itl-base.tlv"), NAME, "cfg-sha1.cnf.xml.sgn")
    assert decision.reason == "signed-by-itl" and len(decision.warnings) == 1 and "SHA-1" in decision.warnings[0]
    assert decide(trust("itl-base.tlv"), NAME, "cfg-sha512.cnf.xml.sgn").warnings == []
    assert decide(trust(), "itl", "itl-4096.tlv").warnings == []


def test_weak_ones_may_be_refused():
    strict = {"refuse_weak": True}
    decision = decide(trust(**strict), "itl", "itl-1024.tlv")
    assert decision.reason == "weak-key" and "1024 bits and SHA-1" in decision.text
    assert reason(trust(**strict), "itl", "itl-base.tlv") == "refused weak-key"
    assert reason(trust(**strict), "itl", "itl-sha512.tlv") == "accepted first-use"
    assert reason(trust("itl-base.tlv", **strict), "itl", "itl-sha512.tlv") == "accepted signed-by-itl"
    assert reason(trust("itl-base.tlv", **strict), NAME, "cfg-sha1.cnf.xml.sgn") == "refused weak-key"
    assert reason(trust("itl-base.tlv", **strict), NAME, "cfg-sha512.cnf.xml.sgn") == "accepted signed-by-itl"
    decision = decide(trust("itl-base.tlv", **strict), NAME, "cfg-other.cnf.xml.sgn", vouch(OTHER, 2))
    assert decision.reason == "weak-key"


# Lost trust


def test_lost_trust_believes_nothing():
    phone = trust(lost=True)
    assert reason(phone, "itl", "itl-base.tlv") == "refused trust-lost"
    assert reason(phone, "ctl", "ctl-mixed.tlv") == "refused trust-lost"
    assert reason(phone, "itl", "bad-truncated.tlv") == "refused trust-lost"
    assert reason(phone, NAME, "cfg-sha512.cnf.xml.sgn") == "refused trust-lost"
    assert reason(phone, PLAIN, b"") == "refused trust-lost"
    assert phone.decide_autoregistration("XMLDefault.cnf.xml").reason == "trust-lost"
    for purpose in ("application", "tvs", "capf"):
        assert server(phone, purpose, TVS) == "refused trust-lost"
    assert "erase" in decide(phone, "itl", "itl-base.tlv").text
    assert phone.has_trust and not phone.rolled_back
