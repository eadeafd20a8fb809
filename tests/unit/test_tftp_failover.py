# SPDX-License-Identifier: MIT
"""Which TFTP server is asked, what is told when all fail, and what is refused before any is asked."""

from agent.fetch.tftp import client as tftp
from tests.helpers.agent.both import raises
from tests.helpers.agent.tftp_cases import HOST, SECOND, SERVERS, body, fails, fetch, script
from tests.helpers.agent.tftp_network import Network, Server, Sink


def test_silent_server_costs_its_time_and_the_next_is_asked():
    network = Network({SECOND: Server({"file": b"x"})}, start=0)
    transfer, sink = fetch(network, servers=SERVERS, timeout=100, attempts=3)
    assert sink.data == b"x" and transfer.server == (SECOND, 69)
    assert [str(error) for error in transfer.failures] == ["file from 192.0.2.1:69: no answer; requests sent: 3"]
    assert network.now < 800


def test_not_found_is_an_answer():
    first, second = Server({}), Server({"file": b"x"})
    error = fails(Network({HOST: first, SECOND: second}), tftp.NotFound, servers=SERVERS)
    assert error.server == "192.0.2.1:69" and error.file == "file" and error.reason == "not-found"
    assert str(error) == "file from 192.0.2.1:69: the server says: error 1, 'File not found'"
    assert len(first.requests) == 1 and second.requests == []


def test_not_found_of_the_second_server_tells_what_the_first_did():
    error = fails(Network({SECOND: Server({})}), tftp.NotFound, servers=SERVERS)
    assert error.server == "192.0.2.2:69"
    assert [type(each).__name__ for each in error.failures] == ["NoServer", "NotFound"]


def test_no_server_at_all():
    error = fails(Network({}), tftp.NoServer, servers=SERVERS)
    assert error.reason == "no-server" and len(error.failures) == 2
    assert str(error) == (
        "file from 192.0.2.1:69: no answer; requests sent: 4; file from 192.0.2.2:69: no answer; requests sent: 4"
    )
    client = tftp.Client(Network({}), Network({}), Network({}))
    assert str(raises(tftp.NoServer, client.fetch, [], "file", Sink(), 1)) == "file: no TFTP server is known"


def test_unknown_name_of_a_server_is_no_server():
    error = fails(Network({}), tftp.NoServer, servers=[("unknown.example", 69)])
    assert str(error) == "file from unknown.example:69: network error -2"
    network = Network({HOST: Server({"file": b"x"})})
    assert fetch(network, servers=[("unknown.example", 69), (HOST, 69)])[1].data == b"x"


def test_most_telling_error_wins():
    junk = [b"\x00\x09junk"]
    large = Server({"file": body(2000)})
    silent = "192.0.2.3"
    for order in ((HOST, SECOND, silent), (silent, SECOND, HOST), (SECOND, silent, HOST)):
        network = Network({HOST: script(junk, junk), SECOND: large})
        error = fails(network, tftp.TooLarge, limit=1000, servers=[(host, 69) for host in order])
        assert error.server == "192.0.2.2:69" and len(error.failures) == 3
    error = fails(Network({HOST: script(junk, junk)}), tftp.BadTransfer, servers=[(silent, 69), (HOST, 69)])
    assert "no answer; requests sent: 4; file from 192.0.2.1:69: no TFTP packet that fits here" in str(error)


def test_socket_that_fails_is_a_network_error():
    class Broken(Network):
        def udp(self):
            raise OSError(101)

    error = fails(Broken({}), tftp.NoServer)
    assert str(error) == "file from 192.0.2.1:69: network error 101"


def test_error_of_the_sink_comes_through_and_the_server_is_told():
    class Refusing(Sink):
        def write(self, block):
            raise self.error

    class NotEven(Sink):
        def begin(self, size):
            raise self.error

    for sink in (Refusing(), NotEven()):
        for sink.error in (MemoryError("full"), OSError(28)):
            network = Network({HOST: Server({"file": body(2000)}), SECOND: Server({"file": b""})})
            error = fails(network, type(sink.error), sink=sink, servers=SERVERS)
            assert error is sink.error, "not taken for an error of the network"
            assert network.sent[-1][0][:4] == b"\x00\x05\x00\x00" and network.sent[-1][1] == (HOST, 50001)


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
        error = raises(tftp.BadName, client.fetch, [(HOST, 69)], name, Sink(), 1)
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
