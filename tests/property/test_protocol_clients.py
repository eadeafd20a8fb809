# SPDX-License-Identifier: MIT
"""The TVS and CAPF clients against servers that send anything: an outcome, never an exception, and no trust."""

from hypothesis import given
from hypothesis import strategies as st

from agent.servers.capf import message as capf_message
from agent.servers.capf.client import CapfClient, Credentials
from agent.servers.tvs import message as tvs_message
from agent.servers.tvs.client import TvsClient
from agent.trust.decision import Decision, Question
from tests.helpers.agent.both import run
from tests.helpers.agent.scripted_stream import CUT, Clock, Net, Random, Server

SESSION = 0x3E9  # what Random gives first
STEPS = st.lists(
    st.one_of(st.binary(max_size=40), st.integers(0, 6000), st.just(OSError(104, "reset")), st.just(CUT)), max_size=8
)
FOREVER = 1 << 40
ELEMENTS = st.lists(st.tuples(st.integers(0, 21), st.binary(max_size=8)), max_size=5)
TVS_MESSAGES = st.builds(tvs_message.encode, st.integers(0, 5), st.sampled_from((SESSION, SESSION + 1)), ELEMENTS)
CAPF_MESSAGES = st.builds(capf_message.encode, st.integers(0, 24), st.sampled_from((7, 8)), ELEMENTS)
GREETING = capf_message.encode(capf_message.AUTH_REQ, 7, ((7, b"\3"), (8, b"\0")))


@given(st.one_of(STEPS, st.lists(TVS_MESSAGES, max_size=3)), st.sampled_from(("query", "verify")))
def test_tvs_servers_that_say_anything(steps, kind):
    clock = Clock()
    server = Server(b"TVS", lambda request: list(steps))
    client = TvsClient(Net(clock, {("tvs", 2445): server}), clock, Random(), "CP-8861-SEP00270DC01C92", 4000)
    client.set_servers([("tvs", 2445)])
    client.set_certificates([b"TVS"])
    question = Question(kind, (0,), None, subject="CN=a", issuer="CN=b", serial=b"\1", certificate=b"tomcat")
    answer = run(client.ask(question, FOREVER))
    assert answer.status in ("valid", "refused", "unreachable", "unsupported")
    assert answer.text
    assert server.open == 0
    assert clock.now <= 1000 + 2 * 4000
    if answer.status == "valid":
        message = tvs_message.decode(steps[0])  # only a whole message of this session may say so
        assert (message.session, message.status) == (SESSION, 0)
        assert message.command == (4 if kind == "query" else 2)
        assert answer.certificate == (message.certificate or b"tomcat")


class NoKeys:
    """Stands for `crypto` where no session gets as far as an LSC that fits its key."""

    def make_key(self, kind, bits):
        return b"private", b"public"

    def certificate(self, der):
        raise ValueError("not a certificate")


@given(st.one_of(STEPS, st.lists(CAPF_MESSAGES, max_size=20)), st.booleans())
def test_capf_servers_that_say_anything(steps, greets):
    clock = Clock()
    said = [GREETING, *steps] if greets else list(steps)
    server = Server(b"CAPF", greeting=said)
    client = CapfClient(Net(clock, {("capf", 3804): server}), clock, NoKeys(), ("SEP00270DC01C92",), 4000)
    changed = []

    async def authenticate(certificate):
        return Decision(True, "listed-in-itl", "capf", "yes")

    result = run(
        client.run(
            [("capf", 3804)],
            Credentials(string="1234"),
            authenticate,
            lambda certificate, key: changed.append("stored"),
            lambda: changed.append("deleted"),
            FOREVER,
        )
    )
    assert result.outcome not in ("installed", "deleted", "fetched", "untrusted")
    assert result.outcome != "unreachable" or server.heard == []
    assert result.text
    assert changed == [] and server.open == 0
