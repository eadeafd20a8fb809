# SPDX-License-Identifier: MIT
"""What the parts of a Cluster (phones, certificates, parameters, ...) use of it, by name and type; cluster.py defines it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from host_tools.lab.model.keys import Identity, KeyMaker
from host_tools.lab.model.state import State


class Part:
    """One part. The class Cluster inherits from all parts."""

    path: Path
    data: dict[str, Any]
    state: State
    key_maker: KeyMaker
    change: Callable[..., AbstractContextManager[State]]
    whole_change: Callable[..., AbstractContextManager[State | None]]
    publish_and_commit: Callable[[State], State]
    make_identities: Callable[[State], None]
    node: Callable[..., dict[str, Any]]
    identity: Callable[..., Identity]
    certificate: Callable[..., bytes]
    vouches_for: Callable[..., dict[bytes, set[int]]]
    phone: Callable[..., dict[str, Any]]
    add_phone: Callable[..., Any]
    refuse_while_migrating: Callable[..., None]
    _make: Callable[..., Identity]
