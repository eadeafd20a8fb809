# SPDX-License-Identifier: MIT
"""A phone that does one thing, TVS or CAPF, on either Python: for tests with real servers.

As a program: protocol_phone.py FILE, JSON in that file; prints one line of JSON. Bytes are hex in both.
tvs: {"servers": [[host, port]], "certificates": [], "timeout": ms, "identity": [certificate, key] or null, "questions":
[{"kind", "subject", "issuer", "serial", "certificate", "roles"}]} gives {"answers": [...], "milliseconds": took}.
capf: {"server": [host, port], "certificate", "timeout", "mode", "string", "lsc", "mic"} gives {"outcome", "text",
"certificate", "retry_delay", "stored": [[certificate, key]], "deleted": count}.
"""

import binascii
import json
import sys

DEVICE = "CP-8861-SEP00270DC01C92"


def unhex(text):
    """Bytes of hex digits; None of None."""
    return None if text is None else binascii.unhexlify(text)


def tohex(data):
    """Hex digits of bytes; None of None."""
    return None if data is None else binascii.hexlify(data).decode()


def pair(texts):
    """A certificate and its key, or None."""
    return (unhex(texts[0]), unhex(texts[1])) if texts else None


def ask(wanted, net, clock, random):
    """Put the questions to TVS, all with one client."""
    from agent.servers.tvs.client import TvsClient
    from agent.trust.decision import Question

    client = TvsClient(net, clock, random, DEVICE, wanted["timeout"], identity=pair(wanted.get("identity")))
    client.set_servers([(host, port) for host, port in wanted["servers"]])
    client.set_certificates([unhex(text) for text in wanted["certificates"]])
    start = clock.monotonic()
    answers = []
    for question in wanted["questions"]:
        answer = client.ask(
            Question(
                question["kind"],
                tuple(question["roles"]),
                None,
                subject=question.get("subject"),
                issuer=question.get("issuer"),
                serial=unhex(question.get("serial")),
                certificate=unhex(question.get("certificate")),
            )
        )
        answers.append(
            {
                "status": answer.status,
                "certificate": tohex(answer.certificate),
                "roles": list(answer.roles),
                "ttl": answer.ttl,
                "server": answer.server,
                "text": answer.text,
            }
        )
    return {"answers": answers, "milliseconds": clock.monotonic() - start}


def enrol(wanted, net, clock, crypto):
    """One CAPF session with a server that must show `certificate`."""
    from agent.servers.capf.client import CapfClient, Credentials
    from agent.trust.decision import Decision

    expected = unhex(wanted["certificate"])
    stored = []
    deleted = []

    def authenticate(certificate):
        accepted = certificate == expected
        return Decision(accepted, "listed-in-itl" if accepted else "tvs-refused", "capf", "by the test")

    client = CapfClient(net, clock, crypto, DEVICE, wanted["timeout"])
    result = client.run(
        wanted["server"][0],
        wanted["server"][1],
        Credentials(wanted["mode"], wanted.get("string"), pair(wanted.get("lsc")), pair(wanted.get("mic"))),
        authenticate,
        lambda certificate, key: stored.append([tohex(certificate), tohex(key)]),
        lambda: deleted.append(1),
    )
    return {
        "outcome": result.outcome,
        "text": result.text,
        "certificate": tohex(result.certificate),
        "retry_delay": result.retry_delay,
        "stored": stored,
        "deleted": len(deleted),
    }


def run(wanted):
    """What FILE asks for, on this Python's own HAL."""
    if sys.implementation.name == "micropython":
        from hal.device import Hal
    else:
        from hal.host import Hal
    hal = Hal()
    if "questions" in wanted:
        return ask(wanted, hal.net, hal.clock, hal.random)
    return enrol(wanted, hal.net, hal.clock, hal.crypto)


if __name__ == "__main__":
    with open(sys.argv[1]) as file:
        print(json.dumps(run(json.load(file))))
