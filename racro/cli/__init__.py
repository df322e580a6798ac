"""The `racro` command: up, solve, demo."""

from racro.cli.commands import app

__all__ = ["app"]
