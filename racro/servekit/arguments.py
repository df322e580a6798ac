"""The command line of a service: --help and --version. Everything else is a setting."""

import argparse
import textwrap

from racro import __version__
from racro.servekit.settings import CONFIG_VARIABLE, PREFIX, ServiceSettings

_EPILOG = """\
A service has settings instead of options: the environment variable {config} names a YAML file of
them, and a variable of its own overrides each, such as {prefix}PORT=9000, with __ between levels.
docs/settings.md has all of them with their defaults.

settings:
{settings}
"""


def parse_arguments(module: str, about: str, settings: type[ServiceSettings]) -> None:
    """Print help or the version and leave with status 0; leave with 2 at an unknown argument."""
    parser = argparse.ArgumentParser(
        prog=f"python -m {module}",
        description=about,
        epilog=_EPILOG.format(config=CONFIG_VARIABLE, prefix=PREFIX, settings=_listing(settings)),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"racro {__version__}")
    parser.parse_args()


def _listing(settings: type[ServiceSettings]) -> str:
    width = max(map(len, settings.model_fields)) + 4
    return "\n".join(
        textwrap.fill(
            f"  {name:{width - 2}}{field.description}", 100, subsequent_indent=" " * width
        )
        for name, field in settings.model_fields.items()
    )
