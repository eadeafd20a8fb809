# SPDX-License-Identifier: MIT
"""Boots by HTTP and HTTPS on the fake network: what is asked of whom, and when TFTP is left with it."""

from agent.formats import names
from tests.helpers.agent.both import vector
from tests.helpers.agent.building import der
from tests.helpers.agent.enrolling import SIGNED, configuration, itl, signed
from tests.helpers.agent.phone_world import SECOND, SERVER, World, own_pair
from tests.unit.test_boot import cluster

EC = "cucmec.cert.pem"


class WebServer:
    """An HTTP server of `files`; asked: their names. status: of all answers, where it is given."""

    def __init__(self, files, status=None):
        self.files = files
        self.status = status
        self.asked = []
        self.identity = None

    def __call__(self, peer, data):
        if not data:
            return
        self.identity = peer.identity
        name = data.split(b" ", 2)[1].decode()[1:]
        self.asked.append(name)
        body = self.files.get(name)
        status = self.status or (404 if body is None else 200)
        body = body or b"sorry"
        peer.say(b"HTTP/1.1 %d x\r\nContent-Length: %d\r\n\r\n" % (status, len(body)) + body)
        peer.end()


def world(files, tls=EC, http=True, tftp=None, **settings):
    """(World, HTTP server, HTTPS server): all have `files` but TFTP, which has `tftp`."""
    found = World(tftp if tftp is not None else {}, provisioning="http", **settings)
    plain, secure = WebServer(files), WebServer(files)
    if http:
        found.hal.net.serve_tcp(SERVER, 6970, plain)
    if tls:
        found.hal.net.serve_tcp(SERVER, 6971, secure, der(tls))
    return found, plain, secure


def install(found, *more):
    """Put an ITL that holds the EC certificate as TFTP into the phone."""
    found.phone.store.load()
    found.phone.store.save({"itl": itl((names.TFTP, EC), *more)})


LISTS = ["CTLSEP00270DC01C92.tlv", "CTLFile.tlv", "ITLSEP00270DC01C92.tlv", "ITLFile.tlv"]


def test_all_by_http():
    found, plain, _ = world(cluster(), tls=None)
    assert found.boot() is True
    assert found.reasons() == ["ctl not-found", "itl first-use", SIGNED + " signed-by-itl"]
    assert plain.asked == LISTS + [SIGNED] and found.server.asked == []
    assert found.phone.tftp_server == (SERVER, 69)


def test_the_configuration_by_https():
    files = {SIGNED: signed(SIGNED, configuration())}
    found, plain, secure = world(files, mic=own_pair())
    install(found)
    assert found.boot() is True
    assert found.reasons()[2:] == ["configuration listed-in-itl", SIGNED + " signed-by-itl"]
    assert plain.asked == LISTS and secure.asked == [SIGNED]
    assert secure.identity == own_pair()


def test_tftp_is_not_asked_where_the_setting_does_not_say_http():
    found, plain, secure = world(cluster())
    found.settings.provisioning = "tftp"
    found.files.update(cluster())
    assert found.restart() is True
    assert plain.asked == [] == secure.asked and found.server.asked == LISTS + [SIGNED]


def test_https_only_with_trust():
    found, plain, secure = world({"SEP00270DC01C92.cnf.xml": vector("SEP00270DC01C92.cnf.xml")})
    assert found.boot() is True
    assert found.reasons()[-1] == "SEP00270DC01C92.cnf.xml no-trust-list"
    assert secure.asked == [] and plain.asked == LISTS + ["SEP00270DC01C92.cnf.xml"]


def test_an_https_server_that_is_not_believed_is_asked_nothing_and_http_is():
    files = {SIGNED: signed(SIGNED, configuration())}
    found, plain, secure = world(files, tls="other.cert.pem")
    install(found)
    assert found.boot() is True
    assert found.reasons()[2:] == ["configuration !unknown-signer", SIGNED + " signed-by-itl"]
    assert secure.asked == [] and plain.asked == LISTS + [SIGNED]


def test_without_https_http_and_without_http_tftp():
    files = {SIGNED: signed(SIGNED, configuration())}
    found, plain, _ = world(files, tls=None)
    install(found)
    assert found.boot() is True and plain.asked[-1] == SIGNED
    found, _, _ = world({}, tls=None, http=False, tftp=files)
    install(found)
    assert found.boot() is True and found.server.asked == LISTS + [SIGNED]


def test_who_is_away_is_waited_for_once_a_boot():
    found, _, _ = world({}, tls=None, http=False, tftp=cluster(), http_timeout=3000)
    found.hal.net.silent.add(SERVER)
    before = found.hal.clock.monotonic()
    found.phone._provisioning.fetch([(SERVER, 69)], "a", None, 10)
    assert found.hal.clock.monotonic() - before == 3000
    for name in ("b", "c"):
        server, failure = found.phone._provisioning.fetch([(SERVER, 69)], name, None, 10)
        assert server is None and failure.reason == "no-server"
    assert found.hal.clock.monotonic() - before == 3000
    found.hal.net.silent.clear()
    found.hal.net.serve_tcp(SERVER, 6970, WebServer(cluster()))
    assert found.boot() is True and found.server.asked == [], "the next boot asks anew"


def test_not_found_is_an_answer_and_nonsense_is_not():
    found, plain, _ = world({}, tls=None, tftp=cluster())
    assert found.boot() is False
    assert found.reasons() == ["ctl not-found", "itl not-found", "SEP00270DC01C92.cnf.xml !not-found"]
    assert found.server.asked == []
    plain.status = 500
    assert found.restart() is True
    assert found.server.asked == LISTS + [SIGNED]


def test_the_second_server():
    found, plain, _ = world(cluster(), tls=None, http=False, tftp=cluster())
    found.settings.tftp = [(SERVER, 69), (SECOND, 69)]
    found.make_phone()
    found.hal.net.serve_tcp(SECOND, 6970, plain)
    assert found.boot() is True and plain.asked == LISTS + [SIGNED]
    assert found.phone.tftp_server == (SECOND, 69)


def test_what_http_said_is_told_where_tftp_says_nothing():
    found, plain, _ = world({name: bytes(70000) for name in LISTS}, tls=None)
    found.hal.net.serve_udp(SERVER, 69, None)
    assert found.boot() is False
    assert found.reasons()[0] == "ctl !too-large" and "6970" in found.reported[0].text


def test_ports_of_a_lab():
    found, plain, _ = world({}, tls=None, http=False, http_port=8080)
    found.hal.net.serve_tcp(SERVER, 8080, plain)
    plain.files = cluster()
    assert found.boot() is True and plain.asked == LISTS + [SIGNED]


def test_the_cluster_may_vouch_for_the_https_server_by_tvs():
    files = {SIGNED: signed(SIGNED, configuration())}
    found, plain, secure = world(files)
    found.phone.store.load()
    from tests.helpers.agent.building import record, trust_list

    rows = [record(names.SAST, "lsc.cert.pem"), record(names.TFTP, "lsc.cert.pem")]
    rows.append(record(names.TVS, "tvs.cert.pem", dns=b"127.0.0.1\0"))
    found.phone.store.save({"itl": trust_list(rows, "lsc.cert.pem")})
    found.tvs({EC: (names.TFTP,)})
    assert found.boot() is True
    assert found.reasons()[2:] == ["configuration vouched-by-tvs", SIGNED + " signed-by-itl"]
    assert secure.asked == [SIGNED]
