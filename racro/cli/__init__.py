"""The `racro` command: up, solve, demo, keys, cache, train."""

from racro.cli.commands import app

__all__ = ["app"]
