"""What `python -m <service>` does."""

import sys
from collections.abc import Callable
from typing import TypeVar

from racro.base.wrong_settings import WrongSettingsError
from racro.servekit.app import serve
from racro.servekit.arguments import parse_arguments
from racro.servekit.guarded_app import GuardedApp
from racro.servekit.hangup import ignore_hangup
from racro.servekit.settings import ServiceSettings

S = TypeVar("S", bound=ServiceSettings)


def run(module: str, about: str, settings_type: type[S], create: Callable[[S], GuardedApp]) -> None:
    """Runs a service until it is stopped: reads its settings, creates its app and serves that.

    `about` is the text of `--help`. Ends the process with status 1, and with the fields that are
    wrong on stderr, where the service cannot be started as its settings say.
    """
    parse_arguments(module, about, settings_type)
    ignore_hangup()
    try:
        settings = settings_type.read()
        serve(create(settings), settings, service=module.rpartition(".")[-1])
    except WrongSettingsError as error:
        sys.exit(error.told)
