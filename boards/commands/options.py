"""Options that the commands which reach boards share."""

from pathlib import Path

import click

IDENTITY = click.option(
    "-i", "--identity", type=click.Path(path_type=Path), metavar="FILE",
    help="Private key for the login.  [default: keys in ssh-agent and ~/.ssh]",
)  # fmt: skip
