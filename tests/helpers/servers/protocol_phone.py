# SPDX-License-Identifier: MIT
"""A phone that does one thing, TVS, CAPF or HTTP, on either Python: for tests with real servers.

As a program: protocol_phone.py FILE, JSON in that file; prints one line of JSON. Bytes are hex in both.
tvs: {"servers": [[host, port]], "certificates": [], "timeout": ms, "identity": [certificate, key] or null, "questions":
[{"kind", "subject", "issuer", "serial", "certificate", "roles"}], "at_once": bool} gives {"answers": [...],
"milliseconds": took}; the questions belong to one boot.
capf: {"servers": [[host, port]], "certificate", "timeout", "mode", "string", "lsc", "mic"} gives {"outcome", "text",
"certificate", "retry_delay", "stored": [[certificate, key]], "deleted": count}.
web: {"fetches": [[secure, port]], "certificate", "timeout", "deadline"}, all at once, gives a list of {"reason", "text",
"milliseconds"}.
"""

import asyncio
import binascii
import json
import sys

NAME = "SEP00270DC01C92"
DEVICE = "CP-8861-SEP00270DC01C92"
BUDGET = 50000  # ms for everything


def unhex(text):
    """Bytes of hex digits; None of None."""
    return None if text is None else binascii.unhexlify(text)


def tohex(data):
    """Hex digits of bytes; None of None."""
    return None if data is None else binascii.hexlify(data).decode()


def pair(texts):
    """A certificate and its key, or None."""
    return (unhex(texts[0]), unhex(texts[1])) if texts else None


async def ask(wanted, net, clock, random):
    """Put the questions to TVS, all with one client."""
    from agent.servers.tvs.client import TvsClient

    client = TvsClient(net, clock, random, DEVICE, wanted["timeout"], identity=pair(wanted.get("identity")))
    client.set_servers([(host, port) for host, port in wanted["servers"]])
    client.set_certificates([unhex(text) for text in wanted["certificates"]])
    start = clock.monotonic()
    client.begin(start + BUDGET)
    answers = []
    if wanted.get("at_once"):
        answers = await asyncio.gather(*[client.ask(_question(question)) for question in wanted["questions"]])
    else:
        for question in wanted["questions"]:
            answers.append(await client.ask(_question(question)))
    return {"answers": [_as_dict(answer) for answer in answers], "milliseconds": clock.monotonic() - start}


def _question(wanted):
    from agent.trust.decision import Question

    return Question(
        wanted["kind"],
        tuple(wanted["roles"]),
        None,
        subject=wanted.get("subject"),
        issuer=wanted.get("issuer"),
        serial=unhex(wanted.get("serial")),
        certificate=unhex(wanted.get("certificate")),
    )


def _as_dict(answer):
    return {
        "status": answer.status,
        "certificate": tohex(answer.certificate),
        "roles": list(answer.roles),
        "ttl": answer.ttl,
        "server": answer.server,
        "text": answer.text,
    }


async def enrol(wanted, net, clock, crypto):
    """A CAPF session with the first server that shows `certificate`."""
    from agent.servers.capf.client import CapfClient, Credentials
    from agent.trust.decision import Decision

    expected = unhex(wanted["certificate"])
    stored = []
    deleted = []

    async def authenticate(certificate):
        accepted = certificate == expected
        return Decision(accepted, "listed-in-itl" if accepted else "tvs-refused", "capf", "by the test")

    client = CapfClient(net, clock, crypto, (NAME, DEVICE), wanted["timeout"])
    result = await client.run(
        [(host, port) for host, port in wanted["servers"]],
        Credentials(wanted["mode"], wanted.get("string"), pair(wanted.get("lsc")), pair(wanted.get("mic"))),
        authenticate,
        lambda certificate, key: stored.append([tohex(certificate), tohex(key)]),
        lambda: deleted.append(1),
        clock.monotonic() + BUDGET,
    )
    return {
        "outcome": result.outcome,
        "text": result.text,
        "certificate": tohex(result.certificate),
        "retry_delay": result.retry_delay,
        "stored": stored,
        "deleted": len(deleted),
    }


class _Sink:
    def begin(self, size):
        pass

    def write(self, block):
        pass


async def fetch(wanted, net, clock):
    """Files by HTTP and HTTPS, all at once, from servers that show `certificate`."""
    from agent.fetch.errors import FetchError
    from agent.fetch.web import Web

    expected = unhex(wanted["certificate"])

    async def accept(certificate):
        return certificate == expected

    async def one(secure, port):
        web = Web(net, clock, accept, None, port, port, wanted["timeout"], wanted["deadline"])
        start = clock.monotonic()
        try:
            await web.fetch(("127.0.0.1", 69), secure, "file", _Sink(), 1 << 40, start + BUDGET)
            reason = text = None
        except FetchError as error:
            reason, text = error.reason, str(error)
        return {"reason": reason, "text": text, "milliseconds": clock.monotonic() - start}

    return await asyncio.gather(*[one(secure, port) for secure, port in wanted["fetches"]])


def run(wanted):
    """What FILE asks for, on this Python's own HAL."""
    if sys.implementation.name == "micropython":
        from hal.device import Hal
    else:
        from hal.host import Hal
    hal = Hal()
    if "questions" in wanted:
        return asyncio.run(ask(wanted, hal.net, hal.clock, hal.random))
    if "fetches" in wanted:
        return asyncio.run(fetch(wanted, hal.net, hal.clock))
    return asyncio.run(enrol(wanted, hal.net, hal.clock, hal.crypto))


if __name__ == "__main__":
    with open(sys.argv[1]) as file:
        print(json.dumps(run(json.load(file))))
