# SPDX-License-Identifier: MIT
"""For pyright alone, which `make lint` runs: the host's HAL has the shape that hal/__init__.pyi gives each part."""

import hal
from hal import host
from hal.host import net as host_net
from hal.host.with_cryptography import HostCrypto
from hal.native import NativeCrypto
from hal.net import Listener
from hal.streams import LocalStream, Stream
from hal.tls_stream import TlsStream


def parts(made: host.Hal) -> tuple[hal.Net, hal.Clock, hal.Random, hal.Console, hal.Board]:
    return made.net, made.clock, made.random, made.console, made.board


def sockets(
    udp: host_net.UdpSocket, listener: Listener, local: LocalStream
) -> tuple[hal.UdpSocket, hal.Listener, hal.LocalStream]:
    return udp, listener, local


def plain_stream(stream: Stream) -> hal.Stream:
    return stream


def tls_stream(stream: TlsStream) -> hal.Stream:
    return stream


def flash(made: host.Flash) -> hal.Flash:
    return made


def with_cryptography(made: HostCrypto) -> hal.Crypto:
    return made


def with_the_library(made: NativeCrypto) -> hal.Crypto:
    return made
