# SPDX-License-Identifier: MIT
"""A scripted CAPF server, and readable stand-ins for keys and signatures, for the tests of the CAPF client."""

from agent.servers.capf import client as capf
from agent.servers.capf import message
from agent.trust.decision import Decision
from tests.helpers.agent.both import run
from tests.helpers.agent.scripted_stream import Clock, Net, Server

SESSION = 0x01020304
LSC = b"LSC rsa old"
MIC = b"MIC rsa"
NAME = "SEP00270DC01C92"
FULL_NAME = "CP-8861-SEP00270DC01C92"


class Certificate:
    def __init__(self, der):
        kind = der.split(b" ")[1].decode()
        self.key_kind = kind
        self.public_key = b"public " + der.split(b" ")[1]


class Crypto:
    """Readable stand-ins: a certificate is "NAME KIND ...", a signature names its key, scheme and digest."""

    def __init__(self, clock=None):
        self.made = []
        self.clock = clock
        self.making = 0  # ms that a key takes

    def make_key(self, kind, bits):
        if self.making:
            self.clock.now += self.making
        self.made.append((kind, bits))
        return b"private " + kind.encode(), b"public " + kind.encode()

    def certificate(self, der):
        if b" " not in der:
            raise ValueError("unreadable")
        return Certificate(der)

    def digest(self, algorithm, data):
        return algorithm.encode() + b"(" + data + b")"

    def sign(self, private_key, scheme, digest):
        return private_key + b":" + scheme.encode() + b":" + digest


def greet(auth_type=0, version=3, command=message.AUTH_REQ):
    return message.encode(command, SESSION, ((7, bytes((version,))), (8, bytes((auth_type,)))))


def says(command, *elements):
    return message.encode(command, SESSION, elements)


def end(reason, *elements):
    return says(message.END, (1, bytes((reason,))), *elements)


def key_request(size=2048):
    return says(message.KEYGEN_REQ, (17, b"\0"), (10, size.to_bytes(2, "big")))


def new_lsc(der=b"LSC rsa new", kind=message.LSC):
    return says(message.STORE_REQ, (3, bytes((kind,))), (4, message.certificate_value(kind, der)))


class World:
    """A session with a server that answers the phone's messages by one of `answers` each (IN_PROGRESS gets none)."""

    def __init__(
        self, *answers, greeting=None, lsc=LSC, mic=None, mode=message.AUTH_NONE, string=None, names=(NAME, FULL_NAME)
    ):
        self.names = names
        self.clock = Clock()
        self.crypto = Crypto(self.clock)
        self.answers = list(answers)
        self.server = Server(b"CAPF rsa", self.reply, greeting=[greeting or greet()])
        self.stored = []
        self.deleted = 0
        self.fails = None
        self.accepts = True
        self.judging = 0  # ms that the judgement of a server takes, once
        self.timeout = 5000
        self.credentials = capf.Credentials(
            mode, string, (lsc, b"lsc key") if lsc else None, (mic, b"mic key") if mic else None
        )

    def reply(self, data):
        if data[1] == message.IN_PROGRESS or not self.answers:
            return []
        answer = self.answers.pop(0)
        return answer if isinstance(answer, list) else [answer]

    async def authenticate(self, certificate):
        assert certificate == b"CAPF rsa"
        self.clock.now += self.judging
        self.judging = 0
        return Decision(self.accepts, "listed-in-itl" if self.accepts else "tvs-refused", "capf", "because")

    def store(self, certificate, private_key):
        if self.fails:
            raise self.fails
        # The server must not have been told yet.
        assert self.commands()[-1] == message.KEYGEN_RES
        self.stored.append((certificate, private_key))

    def delete(self):
        if self.fails:
            raise self.fails
        assert message.DELETE_RES not in self.commands()
        self.deleted += 1

    def commands(self):
        return [heard[1] for heard in self.server.heard]

    def heard(self, command):
        for data in self.server.heard:
            if data[1] == command:
                return message.decode(data)
        raise AssertionError(f"command {command} was not sent")

    def run(self):
        """A session where this server is the only one."""
        result = self.run_with({("capf", 3804): self.server} if self.server else {}, [("capf", 3804)])
        assert result.text.startswith("CAPF capf:3804: ") and result.server == ("capf", 3804)
        if self.server:
            assert self.server.open == 0
            for data in self.server.heard:
                assert message.decode(data).session == SESSION
        return result

    def run_with(self, network, servers, deadline=1000000):
        """A session where these servers are known. network: {(host, port): Server}, of the servers that exist."""
        self.net = Net(self.clock, network)
        self.lines = []
        self.client = capf.CapfClient(self.net, self.clock, self.crypto, self.names, self.timeout, self.lines.append)
        return run(self.client.run(servers, self.credentials, self.authenticate, self.store, self.delete, deadline))
