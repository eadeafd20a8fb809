# SPDX-License-Identifier: MIT
"""phonetrust image key: make an image key, show one."""

import json as json_text
import pathlib
from typing import Annotated

import typer

from host_tools.image import keys
from host_tools.image.command_parts import plain_errors

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Image keys: their owner signs the software that phones run."
)


@app.command()
@plain_errors
def new(
    folder: Annotated[pathlib.Path, typer.Argument(help="Where image.key and image.crt go; it is made.")],
    name: Annotated[str, typer.Option(help="The signer's name in the certificate.")] = "phonetrust image key",
    bits: Annotated[int, typer.Option(help="2048 or 4096.")] = 2048,
):
    """Make a key. Keep image.key where only the build of releases finds it: phones run whatever it signs."""
    made = keys.new(folder, name, bits)
    typer.echo(f"{folder}: {made.subject}, RSA {made.bits}, certificate SHA-256 {made.fingerprint}")


@app.command()
@plain_errors
def show(
    path: Annotated[pathlib.Path, typer.Argument(help="A key's folder, or a certificate.")],
    json: Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")] = False,
):
    """Show whose key it is."""
    found = keys.load(path) if path.is_dir() and (path / keys.KEY).exists() else keys.load_certificate(path)
    facts = {
        "subject": found.subject,
        "serial": f"{found.certificate.serial_number:x}",
        "bits": found.bits,
        "sha256": found.fingerprint,
        "private key": found.key is not None,
        "development": found.development,
    }
    if json:
        typer.echo(json_text.dumps(facts))
        return
    typer.echo(f"{path}: {found.subject}, serial {facts['serial']}, RSA {found.bits}")
    typer.echo(f"  certificate SHA-256 {found.fingerprint}")
    typer.echo(f"  private key: {'here' if found.key is not None else 'not here'}")
    if found.development:
        typer.echo("  a development key: make another one for real phones")
