# SPDX-License-Identifier: MIT
"""The phone's private keys are never logged, shown or served: no answer and no line holds a part of one, in any spelling."""

import binascii
import json

from tests.helpers.agent.building import inside
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
    assert not leaks(key, binascii.b2a_base64(own_pair()[0]).decode()), "the certificate holds none of it"


def test_keys_are_never_logged_shown_or_served():
    said = []

    async def check(place):
        world = place.world
        world.identity.keep(own_pair()[0], own_pair()[1])
        client = await place.connect()
        for request in (
            {"id": 1, "do": "status"},
            {"id": 2, "do": "certificate"},
            {"id": 3, "do": "key"},
            {"id": 4, "do": "identity"},
            {"id": 5, "do": "certificates"},
            {"id": 6, "do": "fetch", "name": "lsc-key"},
            {"id": 7, "do": "sign", "scheme": "rsa_pkcs1_sha256", "digest": "AAAA"},
            judge("tomcat.cert.pem"),
        ):
            said.append(json.dumps(await client.ask(request)))
        for line in (
            "help",
            "show status",
            "show certificates",
            "show key",
            "show identity",
            "show",
            "dump",
            "update lsc",
        ):
            said.append(world.type_in(line))
        said.append(world.phone.status_json())
        said.append(world.hal.console.output)

    served(check)
    assert "SEP00270DC01C92" in "".join(said), "the phone did say something"
    assert not leaks(own_pair()[1], "".join(said))


def test_an_enrolment_logs_nothing_of_the_new_key():
    world, _ = enrolling(configuration(2))
    world.boot()
    assert world.identity.lsc is not None, world.reasons()
    key = world.identity.lsc[1]
    text = world.hal.console.output + world.phone.status_json() + world.type_in("show status")
    text += json.dumps([one.as_dict() for one in world.reported])
    assert numbers(key) and not leaks(key, text)
