"""Names halves of surrogate pairs in requests: Python's json reads and writes them."""

from racro.base.lone_surrogates import has_lone_surrogates


def why_not_json(text: bytes, error: Exception) -> str:
    """Return what is wrong with a text that a parser refused with `error`."""
    if has_lone_surrogates(text):
        return "half of a surrogate pair is escaped alone (\\ud800 to \\udfff): it is no character"
    return str(error)
