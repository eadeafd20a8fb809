# SPDX-License-Identifier: MIT
"""The phone's private keys are never logged, shown or served: no answer and no line holds a part of one, in any spelling."""

import binascii
import json

from agent.flash.identity import parse_pem
from agent.local import console, service
from agent.local.certificates import CertificateFiles
from agent.local.keys import DIGESTS, KEYS, SCHEMES
from tests.helpers.agent.both import vector
from tests.helpers.agent.building import inside, library
from tests.helpers.agent.enrolling import configuration, enrolling
from tests.helpers.agent.phone_world import own_pair
from tests.helpers.agent.service_place import judge, served

#: bytes of a key that must stand nowhere: short enough to catch a part of it, too long for chance
PIECE = 12


def numbers(key):
    """The secret numbers of an RSA or EC key in DER, each as bytes; the public ones are in the certificate."""
    parts = inside(inside(key)[0][1])
    wrapped = [content for tag, content in parts if tag == 4]
    if wrapped and len(parts) == 3:
        return numbers(wrapped[0]) if wrapped[0][0] == 0x30 else wrapped
    secret = [content for tag, content in parts if tag == 2 and len(content) > 16]
    return (secret[1:] if secret else []) + wrapped  # the first long number of an RSA key is its modulus


def spellings(key):
    """Every form in which a piece of a key could stand in a text."""
    for number in numbers(key):
        for start in range(0, len(number) - PIECE, PIECE):
            piece = number[start : start + PIECE]
            yield binascii.hexlify(piece).decode()
            yield binascii.hexlify(piece).decode().upper()
            yield repr(piece)[2:-1]
            for shift in range(3):
                yield binascii.b2a_base64(piece[shift : shift + 9]).decode().strip()


def leaks(key, text):
    """Spellings of the key that stand in the text."""
    return [found for found in spellings(key) if found in text]


def test_the_search_finds_what_it_looks_for():
    key = own_pair()[1]
    assert len(numbers(key)) >= 5, "the private numbers of an RSA key"
    assert leaks(key, "key: " + binascii.b2a_base64(key).decode())
    assert leaks(key, "key: " + binascii.hexlify(key).decode())
    assert leaks(key, "key: %r" % key)
    assert not leaks(key, binascii.b2a_base64(own_pair()[0]).decode()), "the certificate holds none of it"


class Published:
    """A HAL's folder for other programs, whose files are kept as texts."""

    def __init__(self):
        self.texts = []

    def replace(self, name, pieces):
        """Keep them."""
        self.texts.append(name + "".join(pieces))

    def remove(self, name):
        """Nothing is to be removed."""


def requests():
    """Each request that the service knows and some that it does not, each about both keys, and signatures of each kind."""
    found = [judge("tomcat.cert.pem"), {"do": "fetch", "name": "lsc-key"}, {"do": "fetch", "name": "mic.pem"}]
    for do in sorted(service._ACTIONS) + ["key", "identity", "certificates"]:
        found += [{"do": do}] + [{"do": do, "key": key} for key in KEYS + ("lsc-key",)]
    for scheme in sorted(SCHEMES) + ["rsa"]:
        for digest in DIGESTS:
            data = binascii.b2a_base64(bytes(DIGESTS[digest])).decode().strip()
            found += [{"do": "sign", "key": key, "scheme": scheme, "digest": digest, "data": data} for key in KEYS]
    return found


def typed():
    """Each command of the console, and some that it does not have."""
    shown = sorted(console._SHOW) + ["status", "key", "lsc-key", "identity", "mic", ""]
    return ["show " + what for what in shown] + ["help", "menu", "dump", "update lsc", "update lsc 12345", "update lsc"]


def test_keys_are_never_logged_shown_or_served():
    said = []

    async def check(place):
        world = place.world
        world.identity.keep(own_pair()[0], own_pair()[1])
        client = await place.connect(user=0)
        made = 0
        for request in requests():
            answer = await client.ask(request)
            made += "signature" in answer
            said.append(json.dumps(answer))
        assert made == 12, "two keys, two schemes of RSA and three digests"
        said.extend([world.type_in(line) for line in typed()])
        published = Published()
        CertificateFiles(published, world.phone.judge, world.identity, said.append).update()
        assert len(published.texts) == 5 and "PROVIDER URI" in "".join(published.texts)
        said.extend(published.texts)
        said.append(world.phone.status_json())
        said.append(world.hal.console.output)

    served(check, mic=own_pair())
    assert "SEP00270DC01C92" in "".join(said), "the phone did say something"
    assert not leaks(own_pair()[1], "".join(said))


def test_a_broken_key_file_is_refused_without_a_word_of_it():
    text = str(vector("lsc.pem"), "utf-8")
    lines = text.split("\n")
    broken = ["\n".join(lines[:number] + lines[number + 1 :]) for number in range(len(lines))]
    broken += ["\n".join(lines[:number]) for number in range(len(lines))]
    broken += [text.replace("-----", dashes) for dashes in ("----", "------", "- ----", "")]
    broken += ["".join(lines), text.replace("\n", "*\n")]
    refused = 0
    for one in broken:
        try:
            library().public_key(parse_pem(one)[1])
        except ValueError as error:
            refused += 1
            assert not leaks(own_pair()[1], str(error)), str(error)
    assert refused > len(lines)


def test_an_enrolment_logs_nothing_of_the_new_key():
    world, _ = enrolling(configuration(2))
    world.boot()
    assert world.identity.lsc is not None, world.reasons()
    key = world.identity.lsc[1]
    text = world.hal.console.output + world.phone.status_json() + world.type_in("show status")
    text += json.dumps([one.as_dict() for one in world.reported])
    assert numbers(key) and not leaks(key, text)
