"""What a number on the command line may be."""

import click

# What a row's number can be in either database.
ROW_ID = click.IntRange(1, 2**63 - 1)
DAYS = click.IntRange(1, 3650)
