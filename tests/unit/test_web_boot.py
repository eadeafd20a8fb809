# SPDX-License-Identifier: MIT
"""Boots by HTTP and HTTPS on the fake network: what is asked of which server, what is believed, and when TFTP is asked."""

from agent.formats import names
from tests.helpers.agent.both import run, vector
from tests.helpers.agent.building import der, record, tlv, trust_list
from tests.helpers.agent.clusters import cluster
from tests.helpers.agent.enrolling import SIGNED, configuration, itl, new_pair, signed
from tests.helpers.agent.phone_world import SECOND, SERVER, World, own_pair
from tests.helpers.agent.web_server import WebServer

EC = "cucmec.cert.pem"
LISTS = ["CTLSEP00270DC01C92.tlv", "CTLFile.tlv", "ITLSEP00270DC01C92.tlv", "ITLFile.tlv"]
PLAIN = configuration()
GOOD = signed(SIGNED, PLAIN)


def world(files, tls=EC, http=True, tftp=None, **settings):
    """(World, HTTP server, HTTPS server): all have `files` but TFTP, which has `tftp`. tls: certificate, name or DER."""
    found = World(tftp if tftp is not None else {}, file_transfer="http", **settings)
    plain, secure = WebServer(files), WebServer(files)
    if http:
        found.hal.net.serve_tcp(SERVER, 6970, plain)
    if tls:
        found.hal.net.serve_tcp(SERVER, 6971, secure, der(tls) if isinstance(tls, str) else tls)
    return found, plain, secure


def install(found, *more, lists=None):
    """Put an ITL that holds the EC certificate as TFTP into the phone, or another one."""
    found.store.load()
    found.store.save({"itl": itl((names.TFTP, EC), *more) if lists is None else lists})


def test_all_by_http():
    found, plain, _ = world(cluster(), tls=None)
    assert found.boot() is True
    assert found.reasons() == ["ctl not-found", "itl first-use", SIGNED + " signed-by-itl"]
    assert plain.asked == LISTS + [SIGNED] and found.server.asked == []
    assert found.phone.fetcher.server == (SERVER, 69)


def test_the_configuration_by_https():
    found, plain, secure = world({SIGNED: GOOD}, mic=own_pair())
    install(found)
    assert found.boot() is True
    assert found.reasons()[2:] == ["configuration listed-in-itl", SIGNED + " signed-by-itl"]
    assert plain.asked == LISTS and secure.asked == [SIGNED]
    assert secure.identity == own_pair()


def test_the_unsigned_configuration_of_a_server_that_is_believed():
    found, plain, secure = world({SIGNED: PLAIN})
    install(found)
    assert found.boot() is True
    assert found.reasons()[2:] == ["configuration listed-in-itl", SIGNED + " from-trusted-server"]
    assert found.stored()[2:] == (SIGNED.encode(), PLAIN) and plain.asked == LISTS


def test_the_same_bytes_by_http_are_unsigned():
    found, plain, secure = world({SIGNED: PLAIN}, tls=None)
    install(found)
    assert found.boot() is False
    assert found.reasons()[2].startswith(SIGNED + " !")
    assert found.stored()[3] is None


def test_tftp_is_not_asked_where_the_setting_does_not_say_http():
    found, plain, secure = world(cluster())
    found.settings.file_transfer = "tftp"
    found.files.update(cluster())
    assert found.restart() is True
    assert plain.asked == [] == secure.asked and found.server.asked == LISTS + [SIGNED]


def test_https_only_with_trust():
    found, plain, secure = world({"SEP00270DC01C92.cnf.xml": vector("SEP00270DC01C92.cnf.xml")})
    assert found.boot() is True
    assert found.reasons()[-1] == "SEP00270DC01C92.cnf.xml no-trust-list"
    assert secure.asked == [] and plain.asked == LISTS + ["SEP00270DC01C92.cnf.xml"]


def test_https_only_where_the_itl_announces_it():
    records = [record(role, name) for role, name in ((names.SAST, "lsc.cert.pem"), (names.TFTP, "lsc.cert.pem"))]
    for version, asked in ((None, []), (tlv(28, b"\1\0"), []), (tlv(28, b"\1\1"), [SIGNED])):
        found, _, secure = world({SIGNED: GOOD})
        install(found, lists=trust_list(records + [record(names.TFTP, EC)], "lsc.cert.pem", signer_version=version))
        assert found.boot() is True
        assert secure.asked == asked, version


def test_an_https_server_that_is_not_believed_is_asked_nothing_and_http_is():
    """An RSA certificate is not accepted for it, even where the ITL has the certificate as TFTP."""
    stranger = new_pair()[0]
    for certificate, reason in (
        (stranger, "unknown-signer"),
        ("other.cert.pem", "wrong-key"),
        ("lsc.cert.pem", "wrong-key"),
    ):
        found, plain, secure = world({SIGNED: GOOD}, tls=certificate, mic=own_pair())
        install(found)
        assert found.boot() is True
        assert found.reasons()[2:] == ["configuration !" + reason, SIGNED + " signed-by-itl"]
        assert secure.asked == [] and secure.identity is None and plain.asked == LISTS + [SIGNED]


def test_without_https_http_and_without_http_tftp():
    found, plain, _ = world({SIGNED: GOOD}, tls=None)
    install(found)
    assert found.boot() is True and plain.asked[-1] == SIGNED
    found, _, _ = world({}, tls=None, http=False, tftp={SIGNED: GOOD})
    install(found)
    assert found.boot() is True and found.server.asked == LISTS + [SIGNED]


def test_404_by_https_leaves_http():
    found, plain, secure = world({})
    plain.files = {SIGNED: GOOD}
    install(found)
    assert found.boot() is True
    assert secure.asked == [SIGNED] and plain.asked == LISTS + [SIGNED]


def test_a_body_that_is_refused_leaves_the_next_way():
    broken = GOOD[:-1] + b"x"
    for files_by_http, by_tftp in ((GOOD, 0), (broken, 1)):
        found, plain, secure = world({SIGNED: broken}, tftp={SIGNED: GOOD})
        plain.files = {SIGNED: files_by_http}
        install(found)
        assert found.boot() is True, found.reasons()
        assert found.reasons()[-1] == SIGNED + " signed-by-itl"
        assert secure.asked == [SIGNED] and plain.asked[-1] == SIGNED
        assert found.server.asked.count(SIGNED) == by_tftp
        assert found.stored()[3] == PLAIN


def test_a_body_that_every_way_refuses_is_refused():
    broken = GOOD[:-1] + b"x"
    for by_tftp in ({}, {SIGNED: broken}):  # what was there and is refused says more than "not found"
        found, plain, secure = world({SIGNED: broken}, tftp=by_tftp)
        install(found)
        assert found.boot() is False
        assert found.reasons()[-1] == SIGNED + " !bad-signature"
        assert secure.asked == [SIGNED] and plain.asked[-1] == SIGNED and found.server.asked == [SIGNED]
        assert found.stored()[3] is None


def test_a_server_that_is_away_is_waited_for_once_a_boot():
    found, _, _ = world({}, tls=None, http=False, tftp=cluster(), http_timeout=3000)
    found.hal.net.silent.add(SERVER)
    before = found.hal.clock.monotonic()
    assert found.boot() is False
    assert found.reasons() == ["ctl !no-server"], "every other file would be asked of the same server"
    costs = dict(found.phone.fetcher.costs())
    assert costs["HTTP %s:6970" % SERVER] == 3000 and len(costs) == 2
    assert found.hal.clock.monotonic() - before == sum(costs.values())
    found.hal.net.silent.clear()
    plain = WebServer(cluster())
    found.hal.net.serve_tcp(SERVER, 6970, plain)
    assert found.boot() is True and plain.asked == LISTS + [SIGNED], "the next boot asks anew"


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
    assert found.phone.fetcher.server == (SECOND, 69)


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
    rows = [record(names.SAST, "lsc.cert.pem"), record(names.TFTP, "lsc.cert.pem")]
    rows.append(record(names.TVS, "tvs.cert.pem", dns=b"127.0.0.1\0"))
    for roles, reasons in (
        ((names.TFTP,), ["configuration vouched-by-tvs", SIGNED + " from-trusted-server"]),
        ((7,), ["configuration !tvs-wrong-role", SIGNED + " !malformed"]),
    ):
        found, plain, secure = world({SIGNED: PLAIN})
        install(found, lists=trust_list(rows, "lsc.cert.pem"))
        found.tvs({EC: roles})
        assert found.boot() is (roles == (names.TFTP,))
        assert found.reasons()[2:] == reasons
        assert secure.asked == ([SIGNED] if roles == (names.TFTP,) else [])


def test_files_of_other_programs_do_not_come_by_https():
    found, plain, secure = world({"Ringlist.xml": b"x"})
    run(found.phone.fetcher.fetch("Ringlist.xml", _Nowhere(), 100, found.hal.clock.monotonic() + 1000))
    assert plain.asked == ["Ringlist.xml"] and secure.asked == []


class _Nowhere:
    def begin(self, size):
        pass

    def write(self, block):
        pass
