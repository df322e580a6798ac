"""What was tried with each client and worked, gathered from the tests that passed."""

from collections import defaultdict
from collections.abc import Iterable

CELLS = ("chat", "stream", "tools", "picture", "picture in tool result")
# The name of a property of a test's report: reports come from every worker to where the run ends.
PROPERTY = "client cell"


class Table:
    """Records for one test what a client did; it counts only when the test passes."""

    def __init__(self, properties: list[tuple[str, object]]) -> None:
        self._properties = properties

    def record(self, client: str, *cells: str) -> None:
        """Say that the client, a name with a version, did what each of these cells stands for."""
        unknown = set(cells) - set(CELLS)
        assert not unknown, f"no cell of the table: {', '.join(sorted(unknown))}"
        self._properties += [(PROPERTY, [client, cell]) for cell in cells]


def rendered(properties: Iterable[tuple[str, object]]) -> str:
    """The table as Markdown, a row a client; empty where nothing was recorded."""
    worked: dict[str, set[str]] = defaultdict(set)
    for name, value in properties:
        if name == PROPERTY:
            client, cell = value
            worked[client].add(cell)
    if not worked:
        return ""
    rows = [
        " | ".join([client, *("yes" if cell in worked[client] else "" for cell in CELLS)])
        for client in sorted(worked, key=str.lower)
    ]
    head = " | ".join(["client", *CELLS])
    line = "|".join(["---"] * (len(CELLS) + 1))
    return "\n".join([f"| {head} |", f"|{line}|", *(f"| {row} |" for row in rows)]) + "\n"
