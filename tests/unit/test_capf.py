# SPDX-License-Identifier: MIT
"""The CAPF client's sessions, step by step, against a scripted server; keys and signatures are readable stand-ins
here (tests/integration/test_capf_client.py has the real ones)."""

import errno

from agent.servers.capf import message
from tests.helpers.agent.both import raises
from tests.helpers.agent.capf_world import (
    FULL_NAME,
    LSC,
    MIC,
    NAME,
    SESSION,
    World,
    end,
    greet,
    key_request,
    new_lsc,
    says,
)


def test_install():
    world = World(key_request(), new_lsc(), end(1))
    result = world.run()
    assert result.outcome == "installed" and result.certificate == b"LSC rsa new"
    assert result.decision.reason == "listed-in-itl"
    assert world.stored == [(b"LSC rsa new", b"private rsa")]
    assert world.crypto.made == [("rsa", 2048)]
    assert world.commands() == [message.AUTH_RES, message.IN_PROGRESS, message.KEYGEN_RES, message.STORE_RES]
    assert world.heard(message.KEYGEN_RES).public_key == b"public rsa"
    assert world.heard(message.STORE_RES).reason == 1
    assert world.server.identity == (LSC, b"lsc key")


def test_first_install_shows_no_or_the_mic_to_tls():
    world = World(key_request(), new_lsc(), end(1), lsc=None)
    assert world.run().outcome == "installed" and world.server.identity is None
    world = World(key_request(), new_lsc(), end(1), lsc=None, mic=MIC)
    assert world.run().outcome == "installed" and world.server.identity == (MIC, b"mic key")


def test_all_kinds_of_key():
    for size in (1024, 2048, 3072, 4096):
        world = World(key_request(size), new_lsc(), end(1))
        assert world.run().outcome == "installed" and world.crypto.made == [("rsa", size)]
    for curve, bits in ((0, 256), (1, 384), (2, 521)):
        request = says(message.KEYGEN_REQ, (17, b"\1"), (18, bytes((curve,))))
        world = World(request, new_lsc(b"LSC ec new"), end(1))
        assert world.run().outcome == "installed" and world.crypto.made == [("ec", bits)]
    world = World(says(message.KEYGEN_REQ, (10, b"\x08\x00")), new_lsc(), end(1))
    assert world.run().outcome == "installed" and world.crypto.made == [("rsa", 2048)]


def test_keys_that_are_not_made():
    for request, words in (
        (key_request(512), "RSA of 512 bits"),
        (key_request(65535), "RSA of 65535 bits"),
        (says(message.KEYGEN_REQ, (17, b"\0")), "RSA of None bits"),
        (says(message.KEYGEN_REQ, (17, b"\1"), (18, b"\3")), "EC on the curve 3"),
        (says(message.KEYGEN_REQ, (17, b"\2"), (10, b"\x08\x00")), "of type 2"),
    ):
        world = World(request)
        result = world.run()
        assert result.outcome == "refused" and words in result.text
        assert world.heard(message.KEYGEN_RES).reason == message.REASON_INVALID_ELEMENT
        assert world.crypto.made == [] and world.stored == []


def test_only_one_key_a_session():
    world = World(key_request(), key_request())
    result = world.run()
    assert result.outcome == "refused" and "a second key" in result.text
    assert len(world.crypto.made) == 1


def test_lsc_that_is_not_taken():
    for answers, words in (
        ((key_request(), new_lsc(b"LSC ec new")), "for another key"),
        ((key_request(), new_lsc(b"garbage")), "cannot be read"),
        ((key_request(), new_lsc(kind=message.MIC)), "sends no LSC"),
        ((key_request(), says(message.STORE_REQ)), "sends no LSC"),
        ((new_lsc(),), "a key that was not made in this session"),
        ((key_request(), end(7)), "without a certificate for the new key"),
    ):
        world = World(*answers)
        result = world.run()
        assert result.outcome == "refused" and words in result.text, result.text
        assert world.stored == [] and message.STORE_RES not in world.commands()


def test_what_cannot_be_stored_is_not_confirmed():
    world = World(key_request(), new_lsc(), end(1))
    world.fails = OSError(errno.EIO, "flash")
    result = world.run()
    assert result.outcome == "not-stored" and "the phone keeps what it had" in result.text
    assert message.STORE_RES not in world.commands()


def test_interrupted_after_storing_is_installed():
    for last in ([], [99999], [OSError(errno.ECONNRESET, "reset")], [b"\x55\1"]):
        world = World(key_request(), new_lsc(), last)
        result = world.run()
        assert result.outcome == "installed" and "then the session broke off" in result.text
        assert len(world.stored) == 1
    result = World(key_request(), new_lsc(), end(7)).run()
    assert result.outcome == "installed" and "the server ended with an error" in result.text


def test_interrupted_before_changes_nothing():
    other_session = message.encode(message.KEYGEN_REQ, SESSION + 1, ((17, b"\0"), (10, b"\x08\x00")))
    for answers, words in (
        (([],), "closed the connection without an answer"),  # after the server's AUTH_REQ
        ((key_request(), []), "closed the connection without an answer"),
        ((key_request(), [99999]), "no answer in time"),
        ((key_request(), [new_lsc()[:20]]), "closed the connection after 12 of"),
        ((key_request(), [OSError(errno.ECONNRESET, "reset")]), "connection reset"),
        ((b"HTTP/1.1 400",), "speaks another protocol"),
        ((b"\x55\3\1\2\3\4\xff\xff",), "announces a message of 65535 bytes"),
        ((other_session,), "session number 16909061 in the session 16909060"),
        ((says(message.AUTH_RES),), "sends command 2"),
        ((says(message.KEYGEN_REQ, (17, b"\0\0")),), "KEYTYPE has 2 bytes"),
    ):
        world = World(*answers)
        result = world.run()
        assert result.outcome == "interrupted" and words in result.text, result.text
        assert "nothing was changed" in result.text
        assert world.stored == [] and world.deleted == 0


def test_a_server_that_files_phones_by_their_long_name():
    world = World([end(9)], [end(0)])
    assert world.run().outcome == "no-action"
    names = [message.decode(data).device_name for data in world.server.heard]
    assert names == [NAME, FULL_NAME] and world.server.connections == 2
    world = World([end(9)], [end(9)])
    assert world.run().outcome == "unknown-device" and world.server.connections == 2
    world = World([end(9)], [])
    assert world.run().outcome == "unknown-device", "the second session broke off: what the first said stands"
    world = World(end(9), names=(NAME,))
    assert world.run().outcome == "unknown-device" and world.server.connections == 1


def test_the_first_message():
    assert World(greeting=greet(command=message.KEYGEN_REQ)).run().outcome == "interrupted"
    result = World(greeting=greet(version=2)).run()
    assert result.outcome == "refused" and "speaks version 2, and this phone speaks 3" in result.text
    assert World(greeting=end(9)).run().outcome == "unknown-device"
    assert World(greeting=says(message.RETRY_LATER)).run().outcome == "retry-later"


def test_dripping_and_endless_servers():
    steps = []
    for i in range(len(key_request())):
        steps += [1500, key_request()[i : i + 1]]
    world = World(steps)
    result = world.run()
    assert result.outcome == "interrupted" and "no answer in time" in result.text
    assert world.clock.now - 1000 == 5000, "one deadline for the whole message"
    world = World([says(message.IN_PROGRESS)] * 100)
    result = world.run()
    assert result.outcome == "interrupted" and "does not end the session after 16 messages" in result.text


def test_in_progress_from_the_server_is_waited_for():
    busy = says(message.IN_PROGRESS)
    assert World([4000, busy, 4000, key_request()], [4000, busy, 4000, new_lsc()], end(1)).run().outcome == "installed"


def test_delete():
    world = World(says(message.DELETE_REQ), end(0))
    assert world.run().outcome == "deleted"
    assert world.deleted == 1 and world.heard(message.DELETE_RES).reason == 1
    world = World(says(message.DELETE_REQ), end(0), lsc=None)
    assert world.run().outcome == "no-certificate"
    assert world.deleted == 0 and world.heard(message.DELETE_RES).reason == 7
    world = World(says(message.DELETE_REQ), end(0))
    world.fails = OSError(errno.EIO, "flash")
    assert world.run().outcome == "not-stored" and message.DELETE_RES not in world.commands()


def test_fetch():
    world = World(says(message.FETCH_REQ), end(0))
    result = world.run()
    assert result.outcome == "fetched" and result.certificate == LSC
    sent = world.heard(message.FETCH_RES)
    assert sent.reason == 1 and sent.certificate == LSC and sent.certificate_type == message.LSC
    world = World(says(message.FETCH_REQ), end(0), lsc=None)
    assert world.run().outcome == "no-certificate"
    sent = world.heard(message.FETCH_RES)
    assert sent.reason == 7 and sent.certificate is None


def test_install_then_fetch_shows_the_new_one():
    world = World(key_request(), new_lsc(), says(message.FETCH_REQ), end(0))
    assert world.run().outcome == "fetched"
    assert world.heard(message.FETCH_RES).certificate == b"LSC rsa new"


def test_ends_are_told_apart():
    string = {"mode": message.AUTH_STRING, "string": "1234"}
    certificate = {"mode": message.AUTH_LSC}
    for reason, more, outcome, words in (
        (0, {}, "no-action", "nothing for this phone to do"),
        (1, {}, "no-action", "nothing for this phone to do"),
        (7, string, "wrong-string", "does not accept the authentication string"),
        (7, certificate, "refused", "does not accept how this phone authenticates"),
        (9, {}, "unknown-device", "does not know this phone"),
        (42, {}, "refused", "the reason 42"),
    ):
        result = World(end(reason), **more).run()
        assert result.outcome == outcome and words in result.text, result.text
    result = World(end(0, (2, b"maintenance\0"), (12, b"\0\x78"))).run()
    assert result.outcome == "retry-later" and result.retry_delay == 120
    assert "tried again in 120 s (maintenance)" in result.text
    result = World(says(message.RETRY_LATER)).run()
    assert result.outcome == "retry-later" and result.retry_delay is None
    result = World(says(message.END)).run()
    assert result.outcome == "refused" and "the reason None" in result.text


def test_strings():
    world = World(end(0), mode=message.AUTH_STRING, string="0815")
    assert world.run().outcome == "no-action"
    sent = world.heard(message.AUTH_RES)
    assert sent.password == "0815" and sent.device_name == NAME and sent.version == 3 and sent.reason == 1
    assert sent.certificate is None and sent.signed_data is None
    world = World(end(0), mode=message.AUTH_NONE, string="0815")
    world.run()
    assert world.heard(message.AUTH_RES).password == ""
    world = World(end(0), greeting=greet(message.AUTH_STRING))
    assert world.run().outcome == "string-needed" and world.server.heard == []
    world = World(end(0), greeting=greet(message.AUTH_STRING), string="0815")
    world.run()
    assert world.heard(message.AUTH_RES).password == "0815"
    assert World(end(0), mode=message.AUTH_STRING, string="a\0b").run().outcome == "refused"
    assert World(end(0), greeting=greet(9)).run().outcome == "refused"


def test_the_proof_by_lsc_and_mic():
    world = World(end(0), mode=message.AUTH_LSC, mic=MIC, lsc=b"LSC ec x")
    world.run()
    sent = world.heard(message.AUTH_RES)
    signed = NAME.encode() + b"\0LSC ec x)"
    assert sent.certificate == b"LSC ec x" and sent.certificate_type == message.LSC
    assert sent.signed_data == b"lsc key:ecdsa:sha1(" + signed
    expected = b"lsc key:ecdsa:sha512(" + signed
    assert sent.sha2_signed_data == message.part(3, expected)
    session = b"\4\3\2\1"
    assert sent.sudi_data == (
        message.part(0, MIC)
        + message.part(1, b"mic key:rsa-bare:sha1(" + session + MIC + b")")
        + message.part(3, b"mic key:rsa-bare:sha512(" + session + MIC + b")")
    )
    assert sent.password == ""


def test_which_certificate_proves():
    for mode, lsc, mic, expected in (
        (message.AUTH_LSC, LSC, MIC, LSC),
        (message.AUTH_LSC, None, MIC, MIC),
        (message.AUTH_MIC, LSC, MIC, MIC),
        (message.AUTH_MIC, LSC, None, LSC),
    ):
        world = World(end(0), mode=mode, lsc=lsc, mic=mic)
        assert world.run().outcome == "no-action"
        sent = world.heard(message.AUTH_RES)
        assert sent.certificate == expected
        assert sent.certificate_type == (message.LSC if expected == LSC else message.MIC)
        assert sent.sudi_data.startswith(message.part(0, mic or lsc))
    world = World(end(0), mode=message.AUTH_LSC, lsc=None)
    assert world.run().outcome == "certificate-needed" and world.server.heard == []
    world = World(end(0), mode=message.AUTH_LSC, lsc=b"LSC ec x")
    world.run()
    assert world.heard(message.AUTH_RES).sudi_data is None
    world = World(end(0), mode=message.AUTH_LSC, lsc=b"unreadable")
    assert world.run().outcome == "refused"


def test_a_server_that_is_not_trusted_hears_nothing():
    world = World(end(0))
    world.accepts = False
    result = world.run()
    assert result.outcome == "untrusted" and result.decision.reason == "tvs-refused"
    assert result.text == "CAPF capf:3804: because" and world.server.heard == []


def test_a_server_that_is_not_there():
    world = World()
    world.server = None
    result = world.run()
    assert result.outcome == "unreachable" and result.text == "CAPF capf:3804: connection refused"


def test_an_identity_that_cannot_be_shown():
    world = World(end(0))
    world.server.failure = ValueError("bad key")
    result = world.run()
    assert result.outcome == "refused" and "own certificate cannot be shown: bad key" in result.text


def test_an_error_of_the_caller_passes_through_and_closes():
    world = World(key_request(), new_lsc(), end(1))
    world.fails = KeyError("a mistake in the caller")
    raises(KeyError, world.run)
    assert world.server.open == 0
