# SPDX-License-Identifier: MIT
"""`phonetrust lab pre8`, `upgrade` and `switch-version`: the releases of a cluster."""

from typing import Annotated

import typer

from host_tools.lab.commands.parts import DEFAULT_CLUSTER, ClusterOption, JsonOption, OnOff, YesOption, changed, tell
from host_tools.lab.model.releases import DEFAULT_BUILD


def pre8(
    state: Annotated[OnOff, typer.Argument(help="on or off")],
    cluster: ClusterOption = DEFAULT_CLUSTER,
    build: Annotated[str, typer.Option(help="The number of the release.")] = DEFAULT_BUILD,
    engineering: Annotated[bool, typer.Option("--engineering-special", help="It is an engineering special.")] = False,
    json: JsonOption = False,
    yes: YesOption = False,
):
    """Make it a cluster from before Security by Default (8.0): no ITL, no TVS, unsigned configuration; or end that."""
    with changed(cluster, json, yes) as lab:
        lab.set_pre8(state is OnOff.on, build, engineering)


def upgrade(
    cluster: ClusterOption = DEFAULT_CLUSTER,
    finish: Annotated[bool, typer.Option("--finish", help="The publisher has migrated the call records.")] = False,
    json: JsonOption = False,
    yes: YesOption = False,
):
    """Go to the next release: Security by Default with SHA-1, then SHA-512 and EC certificates, then ITLRecovery.

    After the upgrade from 7.x, call records are migrated until --finish; restarts, switches and backups are refused then.
    """
    with changed(cluster, json, yes) as lab:
        if finish:
            lab.finish_upgrade()
        else:
            tell(lab.upgrade(), json)


def switch_version(cluster: ClusterOption = DEFAULT_CLUSTER, json: JsonOption = False, yes: YesOption = False):
    """Switch to the inactive version: the release before the upgrade, or back again."""
    with changed(cluster, json, yes) as lab:
        tell(lab.switch_version(), json)
