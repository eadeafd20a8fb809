# SPDX-License-Identifier: MIT
"""TVS servers by script and a client that asks them, for the tests of the TVS client."""

from agent.servers.messages import element
from agent.servers.tvs import client as tvs
from agent.trust.decision import Question
from tests.helpers.agent.both import run
from tests.helpers.agent.scripted_stream import Clock, Net, Random, Server

GOOD = b"the TVS certificate"
OTHER = b"another certificate"
DEVICE = "CP-8861-SEP00270DC01C92"
FOREVER = 1 << 40


def query(issuer="CN=ca", serial=b"\x05", roles=(0,)):
    return Question("query", roles, None, subject="CN=signer", issuer=issuer, serial=serial)


def verify(certificate=b"tomcat", roles=(7,)):
    return Question("verify", roles, None, certificate=certificate)


def response(request, status=0, certificate=b"signer", roles=b"\0\3", ttl=60, command=None, session=None):
    """The answer of a real server to this request; its reserved byte is set, as seen in real answers."""
    elements = [(7, bytes((status,)))]
    if status == 0 and certificate is not None:
        elements.append((2, certificate))
    if status == 0:
        elements += [(8, roles), (9, ttl.to_bytes(4, "big"))]
    body = b"".join([element(tag, value) for tag, value in elements])
    head = bytes((0x57, 1, command or request[2] + 1, 0xF7)) + (session or request[4:8])
    return head + len(body).to_bytes(2, "big") + body


def says(**what):
    """A trusted server that answers so."""
    return Server(GOOD, lambda request: [response(request, **what)])


def sends(*steps):
    return Server(GOOD, lambda request: list(steps))


class World:
    """A client, its network and its clock. `servers`: in their order, on hosts named a, b, c, ..."""

    def __init__(self, *servers, identity=None, random=None):
        self.clock = Clock()
        self.lines = []
        hosts = ["abcdefgh"[i] for i in range(len(servers))]
        named = {}
        for i in range(len(servers)):
            if servers[i] is not None:
                named[(hosts[i], 2445)] = servers[i]
        self.net = Net(self.clock, named)
        self.client = tvs.TvsClient(
            self.net, self.clock, random or Random(), DEVICE, 4000, identity=identity, log=self.lines.append
        )
        self.client.set_servers([(host, 2445) for host in hosts])
        self.client.set_certificates([OTHER + b"2", GOOD])

    def ask(self, question=None, deadline=FOREVER):
        """Ask outside of a boot."""
        self.net.tried = []
        return run(self.client.ask(question or query(), deadline))

    def ask_in_boot(self, question=None):
        """Ask in the boot that began with client.begin(deadline)."""
        return self.ask(question, None)
