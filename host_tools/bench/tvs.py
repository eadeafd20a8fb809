# SPDX-License-Identifier: MIT
"""One question to TVS against a bare handshake with the same server; and what the second question within its TTL costs."""

import asyncio
import tempfile
from pathlib import Path

from agent.servers.tvs.client import TvsClient
from agent.trust.decision import Question
from hal.host import Hal
from host_tools.bench.measure import Line, medians
from host_tools.lab.model.cluster import Cluster

ROUNDS = 15
PATIENCE = 10000  # ms
APPLICATION_ROLE = 7


def lines():
    """The lab's TVS on loopback, asked about the application server's certificate."""
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner() as loop:
        cluster = Cluster.create(Path(folder) / "cluster")
        with cluster.serve() as serving:
            hal = Hal()
            server = ("127.0.0.1", serving.tvs_port(1))
            client = TvsClient(hal.net, hal.clock, hal.random, "CP-8861-SEP00270DC01C92", PATIENCE)
            client.set_servers([server])
            client.set_certificates([cluster.certificate("tvs", 1)])
            question = Question("verify", (APPLICATION_ROLE,), None, certificate=cluster.certificate("tomcat"))

            async def yes(certificate):
                return True

            async def handshake():
                (await hal.net.tls(*server, hal.clock.monotonic() + PATIENCE, yes)).close()

            def ask():
                client.clear()
                answer = loop.run(client.ask(question, hal.clock.monotonic() + PATIENCE))
                assert answer.status == "valid", answer.text

            ours, theirs = medians([ask, lambda: loop.run(handshake())], ROUNDS)
            before = len(serving.events.matching(service="tvs"))
            loop.run(client.ask(question, hal.clock.monotonic() + PATIENCE))
            packets = len(serving.events.matching(service="tvs")) - before
    return [
        Line(
            "TVS: one question", ours * 1000, "ms", theirs * 1000, 1.2, "against a bare handshake with the same server"
        ),
        Line("TVS: the same question within its TTL", packets, "requests", None, 0, "that reach the server"),
    ]
