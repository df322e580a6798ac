"""What metrics call the tenants: some by their names, all others together."""

from collections import deque
from collections.abc import Collection

from gateway import metrics

# A name has no parentheses.
OTHERS = "(other)"


class TenantLabels:
    """Names at most `most` tenants in metrics, those that made requests first; 0 names none.

    Where all tenants of the keys file can be named they are named at once, so that their counts
    begin at 0. One that was taken out of the file keeps its series until its place is needed: what
    it has used is still asked for.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._named: set[str] = set()
        self._listed: Collection[str] = ()
        # Those of the named that are listed no more.
        self._removed: deque[str] = deque()

    def label(self, name: str) -> str:
        """Return what metrics call a tenant now; empty where they name none."""
        if name in self._named:
            return name
        return OTHERS if self._most else ""

    def create_series(self) -> None:
        """Have the counts of tenants that are not named begin at 0."""
        metrics.create_tenant_series(self.label(""))

    def update(self, names: Collection[str]) -> Collection[str]:
        """Note which tenants there are now, and return those that are to be named at once."""
        self._listed = names
        gone = [name for name in self._removed if name not in names]
        # In the order of their removal: the one that left first gives up its place first.
        gone += sorted(name for name in self._named if name not in names and name not in gone)
        self._removed = deque(gone)
        return names if len(names) <= self._most else ()

    def meet(self, name: str) -> None:
        """Note that a tenant is there or makes a request; from now on it is named, given room."""
        if name in self._named or not self._most or name not in self._listed:
            return
        if len(self._named) >= self._most:
            if not self._removed:
                return
            removed = self._removed.popleft()
            self._named.remove(removed)
            metrics.forget_tenant(removed)
        self._named.add(name)
        metrics.create_tenant_series(name)


NO_LABELS = TenantLabels(0)
