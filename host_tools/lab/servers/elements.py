# SPDX-License-Identifier: MIT
"""The elements of TVS and CAPF messages, as the lab's servers read them."""

import struct


class BadMessage(Exception):
    """The phone's message breaks the protocol, or does not prove what it should; the text says how."""


def elements_of(body):
    """{tag: value} of a message's elements. BadMessage when a length does not fit or a tag comes twice."""
    found, offset = {}, 0
    while offset < len(body):
        if offset + 3 > len(body):
            raise BadMessage(f"an element is cut off at offset {offset}")
        tag, length = struct.unpack_from(">BH", body, offset)
        offset += 3
        if offset + length > len(body):
            raise BadMessage(f"element {tag} at offset {offset - 3} is longer than the message")
        if tag in found:
            raise BadMessage(f"element {tag} comes twice")
        found[tag] = body[offset : offset + length]
        offset += length
    return found
