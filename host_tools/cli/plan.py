# SPDX-License-Identifier: MIT
"""`phonetrust plan PLAN.toml`: what the steps of a plan do to a fleet of phones, before anybody does them."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from agent.formats.text import SENTENCES_LIMIT, shown
from host_tools.cli import parts
from host_tools.cli.parts import counted
from host_tools.lists import health

MOST_NAMED = 5  # rows that are named where all of a fleet have a mistake


def plan(
    words: Annotated[
        list[str],
        typer.Argument(metavar="[check] PLAN.toml", help="The plan; `check` only looks for mistakes in it."),
    ],
    cluster: Annotated[
        Path, typer.Option(metavar="DIR", help="A lab cluster, or a folder of files that `phonetrust fetch` brought.")
    ],
    fleet: Annotated[Path, typer.Option(metavar="FLEET.csv", help="The phones; docs/guide.md has the columns.")],
    lists: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Known lists, which the fleet may name by their checksums.")
    ] = None,
    visits: Annotated[
        Path | None, typer.Option(metavar="FILE.csv", help="Write the phones that need a visit after the plan.")
    ] = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a page with a timeline.")] = None,
    search: Annotated[
        bool, typer.Option("--search/--no-search", help="Look for a safe order of an unsafe plan.")
    ] = True,
    expires_within: Annotated[
        int, typer.Option(min=0, metavar="DAYS", help="Warn of certificates that expire within so many days.")
    ] = health.DAYS,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")] = False,
):
    """Carry out a plan on paper: say for each step and group of phones whether they accept it, are locked out, or see no change.

    The phones' own code judges. The cluster's folder and its servers stay unchanged. The verdict on phones that do not
    restart in a step says what they would do if they restarted then. If the plan locks phones out, the command looks for a
    safe order of its steps. It names each step that the cluster cannot do and each bad row of the fleet, and answers the rest.

    [bold]Examples[/]

      phonetrust plan renew.toml --cluster my-cluster --fleet fleet.csv
      phonetrust plan check renew.toml --cluster my-cluster --fleet fleet.csv
      phonetrust plan renew.toml --cluster now --fleet fleet.csv --html plan.html
      phonetrust plan renew.toml --cluster now --fleet fleet.csv --visits v.csv

    [bold]Files[/]

    PLAN.toml has a name and steps in words, such as "regenerate tvs on node 1"; docs/plans has ready ones. FLEET.csv has a
    column device, and may have model, itl, ctl, servers, online, batch. docs/guide.md explains both. --html and --visits
    are written, everything else is only read.

    [bold]Exit status[/]

    0 no step locks phones out, 1 a step does or cannot be done, 2 plan, cluster or fleet cannot be read, or some rows of the
    fleet are left out and no step locks out the others. With check: 0 no mistake, 1 mistakes, 2 something cannot be read.
    """
    from host_tools.plan.document import read_plan
    from host_tools.plan.errors import PlanError
    from host_tools.plan.fleet import FleetError, Lists
    from host_tools.plan.groups import Fleet
    from host_tools.plan.paper import World
    from host_tools.plan.result import compute, growth, list_health

    if len(words) not in (1, 2) or (len(words) == 2 and words[0] != "check"):
        parts.leave(
            parts.CANNOT_TELL, "name one plan: `phonetrust plan PLAN.toml` or `phonetrust plan check PLAN.toml`"
        )
    only_check = len(words) == 2
    parts.keep_inputs([html, visits], [words[-1], fleet])
    crypto = parts.host_crypto()
    wrong = []
    try:
        document, wrong = read_plan(words[-1])
        world = World(cluster, document.clusters)
        known = Fleet(fleet, Lists(lists, fleet.parent), world)
    except (PlanError, FleetError, OSError) as error:
        said = f"{fleet}: {error}" if isinstance(error, FleetError) else str(error)
        parts.leave(parts.CANNOT_TELL, "; ".join([*wrong, said]))
    wrong += known.unknown_batches(document.steps)
    if only_check:
        _check(wrong, known, json)
    bad = [f"fleet, line {line}: {text}" for line, text in known.bad[:MOST_NAMED]]
    if wrong:
        parts.leave(parts.CANNOT_TELL, "; ".join([*wrong, *bad]))
    if not known.groups:
        said = f"{fleet}: each of its {known.bad_count} rows has a mistake"
        parts.leave(parts.CANNOT_TELL, "; ".join([said, *bad]))
    from host_tools.cli.inspect import describe

    result = compute(document, world, known, search)
    result["warnings"] = world.notes + list_health(world, expires_within, lambda data: describe(data, crypto))
    result["warnings"] += growth(world, document.steps)
    try:
        if visits is not None:
            known.write_visits(visits, result["visits"])
        if html is not None:
            from host_tools.report import plan_page

            html.write_text(plan_page.page(result), encoding="utf-8")
    except OSError as error:
        parts.leave(parts.CANNOT_TELL, f"{error.filename}: {error.strerror}")
    if json:
        parts.print_json(result)
    else:
        _print(result, Console(highlight=False))
    if known.bad_count and result["safe"]:
        raise typer.Exit(parts.CANNOT_TELL)
    raise typer.Exit(parts.YES if result["safe"] else parts.NO)


app = parts.single(plan)


def _check(wrong, fleet, json):
    """Print what is wrong with a plan and a fleet, and leave."""
    phones = sum(group.count for group in fleet.groups)
    if json:
        rows = [{"line": line, "text": text} for line, text in fleet.bad]
        parts.print_json(
            {
                "phones": phones,
                "groups": len(fleet.groups),
                "plan": wrong,
                "bad_rows": rows,
                "bad_row_count": fleet.bad_count,
            }
        )
    else:
        for text in (*wrong, *(f"fleet, line {line}: {text}" for line, text in fleet.bad)):
            typer.echo(shown(text, SENTENCES_LIMIT))
        wrong_count = counted(len(wrong) + fleet.bad_count, "mistake")
        typer.echo(f"{counted(phones, 'phone')} in {counted(len(fleet.groups), 'group')}; {wrong_count}.")
    raise typer.Exit(parts.NO if wrong or fleet.bad_count else parts.YES)


def _print(result, console):
    count = f"{counted(result['phones'], 'phone')} in {counted(len(result['groups']), 'group')}"
    console.print(f"[bold]{_text(result['plan'])}[/]: {count}")
    for warning in result["warnings"]:
        console.print(f"[yellow]Warning:[/] {_text(warning)}")
    table = Table(box=None, pad_edge=False)
    table.add_column("", justify="right")
    table.add_column("after", overflow="fold")
    for name in ("accept", "unchanged", "wait", "locked out"):
        table.add_column(name, justify="right")
    for step in result["steps"]:
        counts = [str(count or "-") for count in step["counts"].values()]
        if step["counts"]["locked-out"]:
            counts[-1] = f"[bold red]{counts[-1]}[/]"
        table.add_row(str(step["number"] or ""), _text(step["step"]), *counts)
    console.print(table)
    for step in result["steps"]:
        if step["problem"]:
            console.print(f"[red]Step {step['number']} cannot be done:[/] {_text(step['problem'])}")
    if result["first_lockout"] is not None:
        _print_lockout(result, console)
    if result["safe"]:
        console.print("[green]No step locks anybody out.[/]")
    if result["safe_order"]:
        console.print(_text(result["safe_order"]["text"]))
        for number, step in enumerate(result["safe_order"]["steps"] or (), 1):
            console.print(f"  {number}. {_text(step)}")
    if result["visit_count"]:
        visits = counted(result["visit_count"], "phone")
        need = "needs" if result["visit_count"] == 1 else "need"
        console.print(f"{visits} {need} a visit at the end (--visits writes {'it' if need == 'needs' else 'them'}).")
    for row in result["bad_rows"]:
        console.print(f"[yellow]Left out:[/] fleet, line {row['line']}: {_text(row['text'])}")
    if result["bad_row_count"] > len(result["bad_rows"]):
        console.print(f"[yellow]Left out:[/] {result['bad_row_count'] - len(result['bad_rows'])} more rows")


def _print_lockout(result, console):
    step = result["steps"][result["first_lockout"]]
    number = next(
        number
        for number, cell in enumerate(step["groups"])
        if cell["outcome"] == "locked-out" and result["steps"][0]["groups"][number]["outcome"] != "locked-out"
    )
    console.print(
        f"[bold red]Step {step['number']} ({_text(step['step'])}) locks phones out[/], for example "
        f"{_text(result['groups'][number]['example'])}:"
    )
    for each in result["decisions"][step["groups"][number]["decisions"]]:
        if each["outcome"] == "refused":
            console.print(f"  {_text(each['reason'])}: {_text(each['text'])}")
            break


def _text(text):
    return escape(shown(text, SENTENCES_LIMIT))
