# SPDX-License-Identifier: MIT
"""Clients of the lab's servers that speak raw bytes, without any code of the phone."""

import contextlib
import socket
import ssl
import struct


def tls(port, identity=None):
    """A TLS connection that believes any server; `identity` is a PEM file with certificate and key to show."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if identity:
        context.load_cert_chain(identity)
    return context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=10))


def element(tag, value):
    return struct.pack(">BH", tag, len(value)) + value


def receive(stream, count):
    data = b""
    while len(data) < count:
        part = stream.recv(count - len(data))
        if not part:
            break
        data += part
    return data


def ask(port, command, body, session=1001):
    """(certificate of the server, header fields, {tag: value}); fields are None where the server closed the connection."""
    with tls(port) as stream:
        peer = stream.getpeercert(True)
        stream.sendall(struct.pack(">BBBBIH", 0x57, 1, command, 0, session, len(body)) + body)
        header = receive(stream, 10)
        if not header:
            return peer, None, None
        fields = struct.unpack(">BBBBIH", header)
        data, values = receive(stream, fields[5]), {}
        assert len(data) == fields[5]
        while data:
            tag, length = struct.unpack_from(">BH", data)
            values[tag], data = data[3 : 3 + length], data[3 + length :]
        return peer, fields, values


def query(header):
    """The QUERY_CERT body for the signer named in a file's header, as in the published trace."""
    return (
        element(1, b"\x01CP-8861-SEP00270DC01C92")
        + element(3, header[4])
        + element(4, header[6])
        + element(5, header[5])
    )


def tftp_read(port, name, options=()):
    """The file, by a client of a few lines: (bytes, the options the server agreed to) or the error code."""
    text = [name, "octet", *[part for option in options for part in option]]
    request = b"\0\1" + b"".join(part.encode() + b"\0" for part in text)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(1)
        for _attempt in range(10):  # a request may be lost, so it is sent again, as every client does
            client.sendto(request, ("127.0.0.1", port))
            with contextlib.suppress(TimeoutError):
                client.recv(1, socket.MSG_PEEK)
                break
        data, agreed, size, expected = b"", {}, 512, 1
        while True:
            packet, server = client.recvfrom(70000)
            (opcode,) = struct.unpack_from(">H", packet)
            if opcode == 5:
                return struct.unpack_from(">H", packet, 2)[0]
            if opcode == 6:
                parts = packet[2:].split(b"\0")
                agreed = dict(zip(parts[0::2], parts[1::2], strict=False))
                size = int(agreed.get(b"blksize", 512))
                client.sendto(b"\0\4\0\0", server)
                continue
            (number,) = struct.unpack_from(">H", packet, 2)
            client.sendto(struct.pack(">HH", 4, number), server)
            if number == expected & 0xFFFF:
                data, expected = data + packet[4:], expected + 1
                if len(packet) - 4 < size:
                    return data, agreed
