"""Makes what a server of others says fit to be shown to clients.

Providers quote the API key that they refuse, and proxies the address that they cannot reach.
"""

import re

_MOST_CHARS = 2000
# More of a text than is shown: what is replaced may be long.
_MOST_READ = 4 * _MOST_CHARS
_REDACTED = "[redacted]"
_URL = r"\b[a-z][a-z0-9+.-]*://\S+"
# Of OpenAI and who follows it, xAI, Groq, ours, Google's, and of any in a header.
_KEY = r"\b(?:sk|xai|gsk|rk)[-_][\w*.-]+|\bAIza[\w*.-]+|\bbearer\s+\S+"
_SECRETS = re.compile(
    rf"""
    {_URL} | {_KEY}
    | \b(?:pk|hf|nvapi|pplx|org|proj|acct)[-_][\w*.-]+           # other keys, and accounts
    | \b\d{{1,3}}(?:\.\d{{1,3}}){{3}}\b(?::\d+)?                  # IPv4
    | \[?(?<![\w:])(?:[0-9a-f]{{1,4}}(?::[0-9a-f]{{1,4}}){{7}}
        |(?:[0-9a-f]{{1,4}}(?::[0-9a-f]{{1,4}}){{0,6}})?::(?:[0-9a-f]{{1,4}}(?::[0-9a-f]{{1,4}}){{0,6}})?)
        (?![\w:])(?:\]:\d+|\])?                                  # IPv6
    | \b[a-z](?:[a-z0-9.-]*[a-z0-9])?:\d{{2,5}}\b                  # host:port
    """,
    re.IGNORECASE | re.VERBOSE,
)
# In hexadecimal or base64, with or without padding.
_LONG_TOKEN = re.compile(r"[A-Za-z0-9+/_-]{20,}={0,2}")
# The names of models and fields are long too, but words with something between them.
_LONGEST_WORD = 15
_HEX = re.compile(r"[0-9a-fA-F-]+")

_LINK = re.compile(_URL, re.IGNORECASE)
_CREDENTIALS = re.compile(
    rf"{_KEY}|api[ _-]?key|credential|authenticat|authori[sz]ation|unauthori[sz]ed"
    r"|(?:access|auth|bearer)[ _-]token|billing|payment",
    re.IGNORECASE,
)


def redacted(text: str) -> str:
    """Return a text in one line of at most 2,000 printable characters.

    URLs, hosts with a port, IP addresses, and what looks like an API key or an account's name are
    replaced by "[redacted]".
    """
    line = "".join(character if character.isprintable() else " " for character in text[:_MOST_READ])
    shown = _LONG_TOKEN.sub(_token, _SECRETS.sub(_REDACTED, " ".join(line.split())))
    return shown[:_MOST_CHARS]


def _token(found: re.Match[str]) -> str:
    token = found[0]
    if not any(character.isdigit() for character in token):
        return token
    is_long = max(map(len, re.split(r"[-_/+=]", token))) > _LONGEST_WORD
    return _REDACTED if is_long or _HEX.fullmatch(token) else token


def speaks_of_credentials(text: str) -> bool:
    """Tell whether an error is about an API key or the account that pays, its links aside."""
    return bool(_CREDENTIALS.search(_LINK.sub("", text[:_MOST_READ])))
