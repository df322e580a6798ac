"""The `racro` command: up, solve, demo, keys, cache."""

from racro.cli.commands import app

__all__ = ["app"]
