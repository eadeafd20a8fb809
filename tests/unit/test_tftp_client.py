# SPDX-License-Identifier: MIT
"""The TFTP client around a transfer: no server, errors of the phone's own, several transfers at once, lost last ACKs."""

import asyncio

from agent.fetch.errors import BadName, BadTransfer, NoServer, NotFound, Stalled
from agent.fetch.tftp import client as tftp
from tests.helpers.agent.both import raises, run
from tests.helpers.agent.tftp_cases import ACK1, FOREVER, HOST, SECOND, body, fails, fetch, received, script
from tests.helpers.agent.tftp_network import CLIENT, Network, Server, Sink, data_packet, error_packet


def test_not_found():
    server = Server({})
    error = fails(Network({HOST: server}), NotFound)
    assert error.server == "192.0.2.1:69" and error.file == "file" and error.reason == "not-found"
    assert str(error) == "file from 192.0.2.1:69: the server says: error 1, 'File not found'"
    assert len(server.requests) == 1


def test_a_silent_server_costs_its_attempts():
    network = Network({}, start=0)
    error = fails(network, NoServer, timeout=100, attempts=3)
    assert str(error) == "file from 192.0.2.1:69: no answer; requests sent: 3" and error.reason == "no-server"
    assert network.now < 800


def test_unknown_name_of_a_server_is_no_server():
    client = tftp.Client(Network({}), Network({}), Network({}))
    error = raises(NoServer, run, client.fetch(("unknown.example", 69), "file", Sink(), 1, FOREVER))
    assert str(error) == "file from unknown.example:69: its name is not known"


def test_socket_that_fails_is_a_network_error():
    class Broken(Network):
        def udp(self, address):
            raise OSError(101)

    error = fails(Broken({}), NoServer)
    assert str(error) == "file from 192.0.2.1:69: network unreachable"


def test_error_of_the_sink_comes_through_and_the_server_is_told():
    class Refusing(Sink):
        def write(self, block):
            raise self.error

    class NotEven(Sink):
        def begin(self, size):
            raise self.error

    for sink in (Refusing(), NotEven()):
        for sink.error in (MemoryError("full"), OSError(28)):
            network = Network({HOST: Server({"file": body(2000)})})
            error = fails(network, type(sink.error), sink=sink)
            assert error is sink.error, "not taken for an error of the network"
            assert network.sent[-1][0][:4] == b"\x00\x05\x00\x00" and network.sent[-1][1] == (HOST, 50001)


# ---------------------------------------------------------------------- deadlines


def test_the_callers_deadline_holds_at_every_point():
    for answers, error, cause in (
        ([[]], NoServer, "no answer; requests sent: 1"),
        ([[data_packet(1, body(512))], []], Stalled, "not complete after 0 s (512 bytes arrived)"),
        ([[error_packet(8)], []], BadTransfer, "the server says: error 8"),
    ):
        network = Network({HOST: script(*answers)}, start=5000)
        found = fails(network, error, deadline_at=5000 + 700)
        assert found.cause == cause and network.now == 5000 + 700, found.cause
    network = Network({HOST: Server({"file": b"x"})}, start=5000)
    assert fails(network, NoServer, deadline_at=5000).cause == "no answer; requests sent: 0"
    assert network.sent == [], "the time was up before"


# ---------------------------------------------------------------------- lost last ACKs


def copy_of_last(network, port, host=HOST, server_port=5000, block=b"x"):
    """The server sends its last block again."""
    network.deliver(data_packet(1, block), (CLIENT, port), (host, server_port), 0)


def test_lost_last_acknowledgement_is_answered_without_waiting():
    network = Network({HOST: script([data_packet(1, b"x")], [], [])})
    client = tftp.Client(network, network, network)
    run(client.fetch((HOST, 69), "file", Sink(), 10, FOREVER))
    before = network.now
    run(client.settle())
    assert network.now == before and received(network)[1:] == [ACK1]
    copy_of_last(network, 40001)
    copy_of_last(network, 40001, SECOND)  # not the server
    network.deliver(error_packet(0), (CLIENT, 40001), (HOST, 5000), 0)
    run(client.settle())
    assert received(network)[1:] == [ACK1, ACK1] and network.now == before
    assert network.open_sockets == 1, "one socket, for that"
    client.close()
    client.close()
    run(client.settle())
    assert network.open_sockets == 0


def test_a_copy_that_is_longer_than_its_header_is_known_too():
    network = Network({HOST: script([data_packet(1, body(500))], [], [])})
    client = tftp.Client(network, network, network)
    run(client.fetch((HOST, 69), "file", Sink(), 1000, FOREVER))
    copy_of_last(network, 40001, block=body(500))
    run(client.settle())
    assert received(network)[1:] == [ACK1, ACK1]


def test_next_fetch_answers_the_servers_of_the_last_ones_too():
    network = Network({HOST: Server({"file": b"x", "next": b"y", "last": b"z"})})
    client = tftp.Client(network, network, network)
    for name in ("file", "next"):
        run(client.fetch((HOST, 69), name, Sink(), 10, FOREVER))
    copy_of_last(network, 40001, server_port=50001)
    copy_of_last(network, 40002, server_port=50002)
    sent = len(network.sent)
    run(client.fetch((HOST, 69), "last", Sink(), 10, FOREVER))
    assert network.sent[sent : sent + 2] == [(ACK1, (HOST, 50001)), (ACK1, (HOST, 50002))]
    assert network.open_sockets == 3
    client.close()


def test_finished_transfers_are_bounded_in_number_and_time():
    files = {str(number): b"x" for number in range(10)}
    network = Network({HOST: Server(files)})
    client = tftp.Client(network, network, network)
    for name in sorted(files):
        run(client.fetch((HOST, 69), name, Sink(), 10, FOREVER))
        assert network.open_sockets <= tftp.LINGERING
    assert network.open_sockets == tftp.LINGERING
    network.now += tftp.LINGER
    run(client.settle())
    assert network.open_sockets == 0, "no server asks for ever"


def test_a_cancelled_settle_leaves_no_socket():
    network = Network({HOST: Server({"a": b"x", "b": b"x"})})
    client = tftp.Client(Turns(network), network, network)

    async def cancelled():
        await asyncio.gather(*[client.fetch((HOST, 69), name, Sink(), 10, FOREVER) for name in ("a", "b")])
        task = asyncio.create_task(client.settle())
        await asyncio.sleep(0)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            pass

    asyncio.run(cancelled())
    client.close()
    assert network.open_sockets == 0


def test_a_server_that_floods_a_finished_transfer_is_answered_a_few_times():
    network = Network({HOST: script([data_packet(1, b"x")])})
    client = tftp.Client(network, network, network)
    run(client.fetch((HOST, 69), "file", Sink(), 10, FOREVER))
    for _ in range(100):
        copy_of_last(network, 40001)
    run(client.settle())
    assert len(received(network)) <= 2 + 4
    client.close()


# ---------------------------------------------------------------------- several transfers at once


class Turns:
    """A net where every wait lets the other tasks go on first, so that packets of two transfers come in turn."""

    def __init__(self, network):
        self._network = network
        self.address_text = network.address_text
        self.same_host = network.same_host
        self.resolve = network.resolve

    def udp(self, address):
        return TurnsSocket(self._network.udp(address))


class TurnsSocket:
    def __init__(self, socket):
        self._socket = socket
        self.send = socket.send
        self.close = socket.close

    async def receive_into(self, buffer, deadline):
        for _ in range(3):
            got = await self._socket.receive_into(buffer, 0)
            if got is not None:
                return got
            await asyncio.sleep(0)
        return await self._socket.receive_into(buffer, deadline)


def test_transfers_at_once_do_not_mix():
    files = {"a": body(5000), "b": bytes([each ^ 0xFF for each in body(7000)]), "c": b""}
    network = Network({HOST: Server(files), SECOND: Server(files)})
    client = tftp.Client(Turns(network), network, network, block_size=100, window=3)
    sinks = [Sink(), Sink(), Sink(), Sink()]

    async def all_of_them():
        return await asyncio.gather(
            client.fetch((HOST, 69), "a", sinks[0], 1 << 20, FOREVER),
            client.fetch((HOST, 69), "b", sinks[1], 1 << 20, FOREVER),
            client.fetch((SECOND, 69), "b", sinks[2], 1 << 20, FOREVER),
            client.fetch((SECOND, 69), "c", sinks[3], 1 << 20, FOREVER),
        )

    transfers = asyncio.run(all_of_them())
    for transfer, sink in zip(transfers, sinks):
        assert sink.data == files[transfer.file]
    order = [address[0] for packet, address in network.sent if packet[1] == 4]
    assert order.index(HOST) < order.index(SECOND) < len(order) - order[::-1].index(HOST), "they did go on in turn"
    client.close()
    assert network.open_sockets == 0


# ---------------------------------------------------------------------- names and settings


def test_names_that_cannot_be_asked_for():
    client = tftp.Client(Network({}), Network({}), Network({}))
    for name, cause in (
        ("", "empty"),
        ("a\x00b", "control"),
        ("a\nb", "control"),
        ("n" * 256, "longer"),
        ("\u00e9" * 128, "longer"),
    ):
        error = raises(BadName, run, client.fetch((HOST, 69), name, Sink(), 1, FOREVER))
        assert cause in str(error) and error.reason == "bad-name"
        assert len(str(error)) < 200 and "\n" not in str(error)
    name = "n" * 255
    assert fetch(Network({HOST: Server({name: b"x"})}), name=name)[1].data == b"x"


def test_settings_out_of_range_are_named():
    for name, value in (
        ("block_size", 7),
        ("block_size", 65465),
        ("window", 0),
        ("window", 65536),
        ("timeout", 0),
        ("attempts", 0),
        ("deadline", 0),
    ):
        error = raises(ValueError, tftp.Client, None, None, None, **{name: value})
        assert name in str(error) and str(value) in str(error)
