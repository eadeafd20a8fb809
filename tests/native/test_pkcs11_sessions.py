# SPDX-License-Identifier: MIT
"""The PKCS#11 module over time: a new LSC, an agent that goes and comes back, forks, threads, wrong answers."""

import base64
import hashlib
from pathlib import Path

import pytest

from tests.helpers.native import pkcs11_module as p11
from tests.helpers.native.pkcs11_module import OK
from tests.helpers.native.signing_agent import SigningAgent, pair_of

DATA = b"what the handshake said"
SIGN = p11.SHA_RSA_PKCS["sha256"]


def test_a_new_lsc_is_seen_by_a_new_session_and_the_old_one_signs_no_more(agent, module, keys):
    module.ready()
    module.find(p11.PRIVATE_KEY)
    before = module.get(p11.ID)
    assert len(module.sign(SIGN, DATA)) == 256
    agent.pairs["lsc"] = pair_of(keys("rsa-4096"))
    assert module.get(p11.ID) == before
    assert module.sign(SIGN, DATA) == p11.FUNCTION_REJECTED, "an old certificate with the new key is no handshake"
    assert module("open") == OK
    assert module.sign(SIGN, DATA) == p11.KEY_HANDLE_INVALID, "a handle of the old key means the new one"
    assert module.find(p11.PRIVATE_KEY) == 1 and module.get(p11.ID) != before
    assert len(module.sign(SIGN, DATA)) == 512


def test_handles_hold_for_later_sessions_as_long_as_nothing_changes(agent, module):
    module.ready()
    module.find(p11.PRIVATE_KEY)
    assert module("open") == OK and len(module.sign(SIGN, DATA)) == 256
    assert module("use", 0) == OK and module("close") == OK
    assert module.sign(SIGN, DATA) == p11.SESSION_HANDLE_INVALID
    assert module("use", 1) == OK and len(module.sign(SIGN, DATA)) == 256


def test_a_deleted_lsc_is_gone(agent, module):
    module.ready()
    module.find(p11.PRIVATE_KEY)
    agent.pairs.clear()
    assert module.sign(SIGN, DATA) == p11.FUNCTION_REJECTED
    assert module("open") == OK and module.find() == 0


def test_without_an_agent_there_is_an_error_and_its_return_is_noticed(agent, module, keys):
    module.ready()
    module.find(p11.PRIVATE_KEY)
    agent.close()
    assert module.sign(SIGN, DATA) == p11.DEVICE_REMOVED
    assert module("open") == p11.DEVICE_REMOVED
    Path(agent.path).unlink()
    with SigningAgent(agent.path, agent.pairs) as second:
        assert len(module.sign(SIGN, DATA)) == 256, "the same session goes on"
        assert module("open") == OK and second.connections == 1


def test_a_child_has_no_module_until_it_initialises_it(agent, module):
    module.ready()
    module.find(p11.PRIVATE_KEY)
    assert module("fork") == OK  # from here on it is the child that answers
    assert module.sign(SIGN, DATA) == p11.NOT_INITIALIZED
    assert module("open") == p11.NOT_INITIALIZED and module("finalize") == p11.NOT_INITIALIZED
    assert module("init") == OK and module("open") == OK
    module.find(p11.PRIVATE_KEY)
    assert len(module.sign(SIGN, DATA)) == 256
    assert agent.connections == 2, "the child uses its parent's connection"
    assert module("end") == OK  # the parent's answer: its child ended without an error
    assert len(module.sign(SIGN, DATA)) == 256
    assert agent.connections == 2, "the parent's connection was closed by the child"


def test_a_program_that_closes_all_its_files_is_connected_again(agent, module):
    module.ready()
    module.find(p11.PRIVATE_KEY)
    assert module("closefiles") == OK
    assert len(module.sign(SIGN, DATA)) == 256 and agent.connections == 2


def test_threads_sign_at_once(agent, module):
    module.ready()
    module.find(p11.PRIVATE_KEY)
    assert module("threads", 8) == OK
    assert len(agent.signed()) == 40 and agent.connections == 1


def test_beginning_and_end(agent, module):
    assert module("open") == p11.NOT_INITIALIZED and module("finalize") == p11.NOT_INITIALIZED
    assert module("init", "reserved") == p11.ARGUMENTS_BAD and module("init", "mutexes") == p11.CANT_LOCK
    assert module("init", "lock") == OK and module("init") == p11.ALREADY_INITIALIZED
    assert module("open", 0) == p11.PARALLEL_NOT_SUPPORTED
    assert module("open", 6) == p11.TOKEN_WRITE_PROTECTED
    assert module("open") == OK and module("login") == p11.USER_PIN_NOT_INITIALIZED
    assert module("closeall") == OK and module("close") == p11.SESSION_HANDLE_INVALID
    assert module("finalize") == OK and module("finalize") == p11.NOT_INITIALIZED
    assert module("init") == OK and module("open") == OK and module.find() == 3


def test_sessions_have_a_limit_and_the_last_ends_the_connection(agent, module):
    assert module("init") == OK
    assert [module("open") for _ in range(64)] == [OK] * 64
    assert module("open") == p11.SESSION_COUNT
    for number in range(64):
        assert module("use", number) == OK and module("close") == OK
    assert agent.connections == 1
    assert module("open") == OK and agent.connections == 2


# An agent that answers something else


@pytest.mark.parametrize(
    ("change", "result"),
    [
        ({"certificate": base64.b64encode(b"no certificate").decode()}, OK),  # not served: the token is empty
        ({"key": "mic"}, p11.DEVICE_ERROR),
        ({"sha256": "00"}, p11.DEVICE_ERROR),
        ({"certificate": "====", "key": "lsc"}, p11.DEVICE_ERROR),
        ({"id": 99}, p11.DEVICE_ERROR),
        ({"ok": False, "error": "not for you"}, p11.FUNCTION_REJECTED),
    ],
    ids=range(6),
)
def test_a_wrong_certificate_is_an_error_or_nothing(agent, module, change, result):
    agent.answer = lambda request, answer: {**answer, **change} if request.get("key") == "lsc" else answer
    assert module("init") == OK and module("open") == result
    agent.answer = None
    assert module("open") == OK and module.find() == 3, "a later session suffers from it"


def signature_of(length):
    return {"ok": True, "signature": base64.b64encode(b"\1" * length).decode()}


@pytest.mark.parametrize("length", [1, 255, 257, 512])
def test_an_rsa_signature_of_a_wrong_length_is_an_error(agent, module, length):
    module.ready()
    module.find(p11.PRIVATE_KEY)
    agent.answer = lambda request, answer: {**answer, **signature_of(length)}
    assert module.sign(SIGN, DATA) == p11.DEVICE_ERROR


@pytest.mark.parametrize(
    "der",
    [
        "00", "3000", "30060201010201", "300602010102010100", "3006020101020101" + "00", "3005020101020101",
        "3007020102020101", "3006040101020101", "30040200" + "0200", "3081060201010201" + "01",
        "3026" + "0221" + "01" * 33 + "020101", "30260221" + "00" + "01" * 32 + "020101" + "0000",
    ],
)  # fmt: skip
def test_a_malformed_ecdsa_signature_is_an_error(agent, module, keys, der):
    agent.pairs["lsc"] = pair_of(keys("ec-256"))
    module.ready()
    module.find(p11.PRIVATE_KEY)
    text = base64.b64encode(bytes.fromhex(der)).decode()
    agent.answer = lambda request, answer: {**answer, "ok": True, "signature": text}
    assert module.sign(p11.ECDSA, hashlib.sha256(DATA).digest()) == p11.DEVICE_ERROR


def test_short_numbers_of_an_ecdsa_signature_are_filled_up(agent, module, keys):
    agent.pairs["lsc"] = pair_of(keys("ec-521"))
    module.ready()
    module.find(p11.PRIVATE_KEY)
    text = base64.b64encode(bytes.fromhex("30080202008102020012")).decode()
    agent.answer = lambda request, answer: {**answer, "ok": True, "signature": text}
    found = module.sign(p11.ECDSA, hashlib.sha256(DATA).digest())
    assert found == bytes(65) + b"\x81" + bytes(65) + b"\x12"


def test_the_agents_no_is_a_no(agent, module):
    module.ready()
    module.find(p11.PRIVATE_KEY)
    agent.answer = lambda request, answer: {"id": request["id"], "ok": False, "error": "60 signatures a minute"}
    assert module.sign(SIGN, DATA) == p11.FUNCTION_REJECTED
    agent.answer = None
    assert len(module.sign(SIGN, DATA)) == 256 and agent.connections == 1
