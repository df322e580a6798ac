"""The `racro` command: up, solve, demo, keys, cache, eval, train."""

from racro.cli.commands import app

__all__ = ["app"]
