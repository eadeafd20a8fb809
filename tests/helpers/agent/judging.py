# SPDX-License-Identifier: MIT
"""Phones with given lists installed, and what they decide: for the tests of agent/trust/rules.py, on both Pythons."""

from agent.formats import names
from agent.trust.decision import Answer, Question
from agent.trust.rules import Trust
from tests.helpers.agent.both import vector
from tests.helpers.agent.building import der, library, record, trust_list

SAST, CUCM, CUCM_NEW, TVS, TVS2 = "sast.cert.pem", "cucm.cert.pem", "cucmnew.cert.pem", "tvs.cert.pem", "tvs2.cert.pem"
OTHER, CAPF, TOMCAT, EC = "other.cert.pem", "capf.cert.pem", "tomcat.cert.pem", "cucmec.cert.pem"
NAME = "SEP00270DC01C92.cnf.xml.sgn"
PLAIN = "SEP00270DC01C92.cnf.xml"


def installed(value):
    """Bytes of a list: a vector's name, or bytes as they are."""
    return vector(value) if isinstance(value, str) else value


def trust(itl=None, ctl=None, **options):
    return Trust(library(), itl=installed(itl), ctl=installed(ctl), **options)


def itl_of(*records):
    """An installed ITL of (role, certificate) pairs."""
    return trust_list([record(role, certificate) for role, certificate in records], SAST)


def ctl_of(*records):
    return trust_list([record(role, certificate) for role, certificate in records], SAST, "CTLFile.tlv")


def decide(phone, kind, data, answer=None):
    """The Decision about a list or a file; `answer`: what TVS says, where it is asked."""
    data = installed(data)
    decision = phone.decide_list(kind, data) if kind in ("itl", "ctl") else phone.decide_file(kind, data)
    while isinstance(decision, Question):
        assert answer is not None, "TVS was asked"
        decision = phone.answer(decision, answer)
    assert decision.text[0].isupper() and decision.text[-1] == ".", decision.text
    assert decision.kind == kind
    return decision


def reason(phone, kind, data, answer=None):
    decision = decide(phone, kind, data, answer)
    return decision.outcome + " " + decision.reason


def rollback(*records):
    """An installed ITL that announces a rollback: blank entries as TFTP and TVS, and (role, certificate) pairs."""
    blank = [record(names.TFTP), record(names.TVS)]
    return trust_list([record(role, certificate) for role, certificate in records] + blank, SAST)


def vouch(certificate, *roles):
    return Answer("valid", der(certificate), roles, 60, "192.0.2.5:2445")


def server(phone, purpose, certificate, answer=None):
    decision = phone.decide_server(purpose, der(certificate))
    if isinstance(decision, Question):
        assert answer is not None, "TVS was asked"
        assert decision.request == "verify" and decision.certificate == der(certificate)
        decision = phone.answer(decision, answer)
    assert decision.text and decision.kind == purpose
    return decision.outcome + " " + decision.reason
