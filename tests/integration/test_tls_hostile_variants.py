# SPDX-License-Identifier: MIT
"""Variants of attacks on TLS clients (tests/helpers/tls/hostile_variants.py), all of them in one process of each Python."""

from contextlib import ExitStack

import pytest

from tests.helpers.tls.hostile import HostileServer
from tests.helpers.tls.hostile_variants import VARIANTS
from tests.helpers.tls.identity import identity
from tests.helpers.tls.pythons import PYTHONS, exchanges
from tests.helpers.tls.wire import check_nothing_of_ours

DEADLINE = 20000


@pytest.mark.parametrize("python", PYTHONS)
def test_each_is_taken_or_ended_with_a_reason_and_nothing_given_away(python):
    pair = identity("rsa2048", "client").pair
    with ExitStack() as opened:
        servers = []
        for kind, twist, *_ in VARIANTS.values():
            asking = type(twist.__name__, (twist,), {"asks": True})()
            servers.append(opened.enter_context(HostileServer(kind, identity("rsa2048"), asking)))
        cases = [
            {"port": server.port, "enough": 10**6, "identity": pair, "deadline": DEADLINE} for server in servers
        ]  # fmt: skip
        results = exchanges(python, *cases)
    ends = {name: (result["failure"], result["state"]) for name, result in zip(VARIANTS, results, strict=True)}
    assert ends == {name: (failure, "failed" if failure else "ended") for name, (_, _, failure, *_) in VARIANTS.items()}
    for name, result, server in zip(VARIANTS, results, servers, strict=True):
        _, _, failure, says, opens = VARIANTS[name]
        assert says in result["text"] and result["milliseconds"] < DEADLINE, (name, result["text"])
        if failure is None:
            assert result["read"] == b"hello", name
        elif not opens:
            check_nothing_of_ours(result["sent"])
            assert server.logs[0] == [1], name
