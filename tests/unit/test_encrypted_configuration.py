# SPDX-License-Identifier: MIT
"""The encrypted configuration in the boot: signature first, then LSC, else MIC; and every way to refuse it."""

import binascii

from agent.errors import Malformed
from agent.formats.encrypted import decrypt
from agent.formats.header import Encryption, Header
from tests.helpers.agent.both import MICROPYTHON, raises, vector
from tests.helpers.agent.building import library
from tests.helpers.agent.clusters import NO_CTL, cluster
from tests.helpers.agent.enrolling import (
    ENCRYPTED,
    OWN,
    SIGNED,
    configuration,
    encrypted_vector,
    enrolling,
    new_pair,
    signed,
)
from tests.helpers.agent.phone_world import World, own_pair

POINTER = configuration(encrypted=True, full=False)
#: An AES key of 192 bits, wrapped by another program for the key of tests/vectors/lsc.pem, and what it encrypts.
WRAPPED_192 = binascii.unhexlify(
    "6e506942d6f79f5f37dbf655b3f6855c387fd3cbfda2e286fd7090e7e27baf7001104fcc2b23fe1bafa677969a24b30b717d"
    "df605116432b952a9aab5232b8494e73b9b1d84bc2384782cc7dcd2413a7ab54b1a8a677b0d258cd2382d5fbecd557a6f13b"
    "d0d92fee88c0b13b1b05d7fec9042bb6adb83d0cbab953ee0fd9d61de7d322d9c3bd18844852e832b7eb1a0eee9a2cdc0f94"
    "4271b2eca6b22881872a3c3cd0c7867c149287bd5a714f2cbd1836dd951eb11e68c207249db412a879603d22d45d04bfb7ac"
    "c8bc46a9b16a114e0b7fdd0c06aab7829366146acb66415703232429210f2de6e6346992b6a763cc64fba0a63cfe0110f4bc"
    "9f3c868dded3"
)
CIPHERTEXT_192 = binascii.unhexlify("9a9882e63f8cc824634a0954cdc00e35adbfea1ef995996ddc16b9327bdb7deb")


def pointing():
    """The vectors' cluster: a small document that sends to the encrypted one."""
    files = cluster(configuration=SIGNED)
    files[ENCRYPTED] = vector(ENCRYPTED)
    return files


def own_cluster(file):
    """(World, its files): SIGNER's cluster with POINTER and this encrypted file; the phone has its LSC."""
    world, _ = enrolling(POINTER)
    world.identity.keep(own_pair()[0], own_pair()[1])
    world.files[ENCRYPTED] = file
    return world


def last(world):
    return world.reasons()[-1]


def test_with_the_mic():
    world = World(pointing(), mic=own_pair())
    assert world.boot() is True
    assert world.reasons() == [NO_CTL, "itl first-use", SIGNED + " signed-by-itl", ENCRYPTED + " signed-by-itl"]
    assert world.stored()[2:] == (ENCRYPTED.encode(), vector(OWN))
    assert world.configuration.tvs == [("127.0.0.1", 2445)]
    writes = world.hal.flash.writes
    assert world.restart() and world.hal.flash.writes == writes, "the same again: nothing is written"
    assert world.configuration.name == ENCRYPTED


def test_keys_of_192_bits():
    plain = b"<device>192</device>"
    digest = library().digest("sha256", plain)
    header = Header(vector(ENCRYPTED))
    header.encryption = Encryption(bytes(range(16)), 12, WRAPPED_192, "sha256", digest)
    body = bytearray(CIPHERTEXT_192)
    assert decrypt(library(), own_pair()[1], header, memoryview(body)) == len(plain)
    assert body[: len(plain)] == plain


def test_either_cryptography_opens_the_vector():
    if MICROPYTHON:
        parts = [library()]
    else:
        from hal.host import crypto

        parts = [crypto("native"), crypto("cryptography")]
    assert [part.name for part in parts] == ["libphonetrust", "cryptography"][: len(parts)]
    data = vector(ENCRYPTED)
    header = Header(data)
    for part in parts:
        body = memoryview(bytearray(data[header.length :]))
        assert decrypt(part, new_pair("rsa", 1024)[1], header, body) is None and body == data[header.length :]
        assert decrypt(part, new_pair()[1], header, body) is None
        length = decrypt(part, own_pair()[1], header, body)
        assert bytes(body[:length]) == vector(OWN), part.name


def test_lengths_that_no_encryption_gives():
    data = vector(ENCRYPTED)
    header = Header(data)
    body = data[header.length :]
    key = own_pair()[1]
    for size, padding in ((0, 0), (15, 11), (len(body) - 1, 11), (len(body), 17)):
        header.encryption.padding = padding
        error = raises(Malformed, decrypt, library(), key, header, memoryview(bytearray(body[:size])))
        assert "%d bytes of ciphertext with %d bytes of padding" % (size, padding) in str(error), size
    header.encryption.padding = 16
    assert decrypt(library(), key, header, memoryview(bytearray(body))) is None, "possible, though not what was signed"


def test_with_the_lsc_and_with_the_mic_where_the_lsc_does_not_fit():
    for lsc, mic in ((own_pair(), None), (new_pair(), own_pair()), (own_pair(), new_pair())):
        world = World(pointing(), mic=mic)
        world.store.load()
        world.identity.keep(lsc[0], lsc[1])
        assert world.boot() is True
        assert world.stored()[2:] == (ENCRYPTED.encode(), vector(OWN))


def test_a_phone_without_certificate_says_so_and_asks_for_no_file():
    world = World(pointing())
    assert world.boot() is False
    assert last(world) == ENCRYPTED + " !no-certificate" and "update lsc" in world.reported[-1].text
    assert ENCRYPTED not in world.server.asked
    assert world.stored()[2:] == (None, None), "the small document is no configuration"


def test_what_the_phone_has_stays_when_the_new_one_cannot_be_opened():
    world = World(cluster())
    assert world.boot()
    before = world.stored()
    world.files.update(pointing())
    world.identity.keep(*new_pair())
    assert world.boot() is False
    assert last(world) == ENCRYPTED + " !cannot-decrypt"
    assert world.stored() == before and world.configuration.tvs == [("127.0.0.1", 2445)]


def test_wrong_key_and_wrong_padding_and_damage_look_the_same():
    files = [encrypted_vector(), encrypted_vector(padding=0), encrypted_vector(padding=16)]
    damaged = bytearray(encrypted_vector())
    found = []
    for index in range(len(files)):
        world = own_cluster(files[index])
        if index == 0:
            world.identity.keep(*new_pair("rsa", 1024))
        assert world.boot() is False
        decision = world.reported[-1]
        found.append((decision.kind, decision.reason, decision.text, decision.evidence))
    assert found[0] == found[1] == found[2] and found[0][1] == "cannot-decrypt"
    damaged[-1] ^= 1
    world = own_cluster(bytes(damaged))
    assert world.boot() is False and last(world) == ENCRYPTED + " !bad-signature", "the signature comes first"


def test_encrypted_by_the_key_of_these_tests():
    world = own_cluster(encrypted_vector())
    assert world.boot() is True and world.stored()[3] == vector(OWN)


def test_other_ways_not_to_be_taken():
    plain = configuration(extra="<a/>")
    for file, reason, words in (
        (signed(ENCRYPTED, plain), "bad-configuration", "no encryption tags"),
        (encrypted_vector(file=SIGNED), "wrong-file", "header says"),
        (encrypted_vector(padding=17), "bad-configuration", "17 bytes of padding"),
        (encrypted_vector()[:-1], "bad-signature", "does not verify"),
        (b"", "malformed", "cannot be read"),
        (plain, "malformed", "cannot be read"),
    ):
        world = own_cluster(file)
        assert world.boot() is False
        assert last(world) == ENCRYPTED + " !" + reason, world.reasons()
        assert words in world.reported[-1].text, world.reported[-1].text
        assert world.stored()[2:] == (None, None)
    world = own_cluster(b"")
    del world.files[ENCRYPTED]
    assert world.boot() is False and last(world) == ENCRYPTED + " !not-found"


def test_only_a_document_that_is_not_full_sends_there():
    for content in (configuration(encrypted=True), configuration(encrypted=False, full=False)):
        world, _ = enrolling(content, mic=own_pair())
        world.files[ENCRYPTED] = encrypted_vector()
        assert world.boot() is True
        assert ENCRYPTED not in world.server.asked and world.stored()[2:] == (SIGNED.encode(), content)


def test_after_a_rollback_the_encrypted_configuration_has_no_signer():
    world = World({OWN: POINTER, ENCRYPTED: vector(ENCRYPTED)}, mic=own_pair())
    assert world.boot() is False
    assert world.reasons()[2:] == [OWN + " no-trust-list", ENCRYPTED + " !unknown-signer"]
