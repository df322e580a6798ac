"""The clients there are, by the names that are typed."""

from typing import Literal

from racro.cli.connect.aider import AIDER
from racro.cli.connect.claude_code import CLAUDE
from racro.cli.connect.client_settings import Client
from racro.cli.connect.cline import CLINE
from racro.cli.connect.codex import CODEX
from racro.cli.connect.continue_dev import CONTINUE
from racro.cli.connect.librechat import LIBRECHAT
from racro.cli.connect.llm_command import LLM
from racro.cli.connect.open_webui import OPEN_WEBUI
from racro.cli.connect.opencode import OPENCODE

ClientName = Literal[
    "claude", "codex", "opencode", "cline", "open-webui", "aider", "llm", "continue", "librechat"
]
CLIENTS: dict[ClientName, Client] = {
    "claude": CLAUDE,
    "codex": CODEX,
    "opencode": OPENCODE,
    "cline": CLINE,
    "open-webui": OPEN_WEBUI,
    "aider": AIDER,
    "llm": LLM,
    "continue": CONTINUE,
    "librechat": LIBRECHAT,
}
