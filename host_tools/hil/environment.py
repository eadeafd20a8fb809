# SPDX-License-Identifier: MIT
"""A labgrid environment file, checked: mistakes that labgrid only warns of, or passes over, are errors here."""

import attr
from labgrid import Environment
from labgrid.exceptions import InvalidConfigError, NoConfigFoundError
from labgrid.factory import TargetFactory, target_factory

from host_tools.image.errors import ImageError
from host_tools.image.strict import suggestion

TOP = ("imports", "images", "options", "paths", "targets", "tools")
# listen: the address of this PC on which the lab cluster's servers listen; address: where the board finds them.
OPTIONS = ("address", "board", "coordinator_address", "listen")
TARGET = ("drivers", "features", "options", "resources")


def load(path):
    """-> labgrid's Environment of the file. ImageError, which names file and key, where something in it is unknown."""
    try:
        environment = Environment(str(path))  # pyright: ignore[reportCallIssue]
    except (InvalidConfigError, NoConfigFoundError, ImportError) as error:
        raise ImageError(f"{path}: {error}") from error
    data = environment.config.data
    _known(data, TOP, path)
    _known(data.get("options", {}), OPTIONS, f"{path}: options")
    for name, target in data.get("targets", {}).items():
        where = f"{path}: targets.{name}"
        _known(target, TARGET, where)
        resources, drivers = TargetFactory.normalize_config(_copy(target))
        for kinds, classes, what in (
            (resources, target_factory.resources, "resource"),
            (drivers, target_factory.drivers, "driver"),
        ):
            for kind, named in kinds.items():
                if kind not in classes:
                    raise ImageError(f"{where}: unknown {what} '{kind}'{suggestion(kind, classes)}")
                fields = [field.name for field in attr.fields(classes[kind]) if field.init]
                for values in named.values():
                    _known(values[0], fields, f"{where}.{kind}")
    return environment


def _known(values, known, where):
    for key in values:
        if key not in known:
            raise ImageError(f"{where}: unknown key '{key}'{suggestion(key, known)}")


def _copy(target):
    """normalize_config() takes apart the mapping that it gets."""
    copied = {}
    for part in ("resources", "drivers"):
        entries = target.get(part, {})
        if isinstance(entries, dict):
            copied[part] = {kind: dict(values or {}) for kind, values in entries.items()}
        else:
            copied[part] = [{kind: dict(values or {}) for kind, values in entry.items()} for entry in entries]
    return copied
