"""Services are replaced by those of another version while clients ask: no request fails."""

import itertools
import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from support.processes import wait_until
from support.versions import MODULES, NEW, OLD, Client, System

CLIENTS = 4
CACHED = [f"How high is bar {number}?" for number in range(5)]
# Requests in each mixture of versions.
ENOUGH = 20


class Load:
    """Clients that ask until they are stopped; what failed is raised then."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._stopped = threading.Event()
        self._answered = itertools.count()
        self._numbers = itertools.count()
        self.answered = 0

    def ask(self, seed: int) -> None:
        rng = random.Random(seed)
        while not self._stopped.is_set():
            self._ask_once(rng)
            self.answered = next(self._answered)

    def _ask_once(self, rng: random.Random) -> None:
        fresh = f"What is {next(self._numbers)}?"
        question = rng.choice([fresh, *CACHED])
        match rng.randrange(5):
            case 0:
                self._client.solve(question)
            case 1:
                self._client.solve_streamed(question)
            case 2:
                self._client.chat(question)
            case 3:
                self._client.chat(question, stream=True)
            case 4:
                self._client.text()

    def go_on(self) -> None:
        """Return when some more requests were answered, or one has failed."""
        until = self.answered + ENOUGH
        wait_until(lambda: self.answered >= until or self._stopped.is_set(), what="answers")

    def stop(self, *_: object) -> None:
        self._stopped.set()


@contextmanager
def load(client: Client) -> Iterator[Load]:
    asking = Load(client)
    with ThreadPoolExecutor(CLIENTS) as threads:
        futures = [threads.submit(asking.ask, seed) for seed in range(CLIENTS)]
        for future in futures:
            # One that fails stops all.
            future.add_done_callback(asking.stop)
        try:
            yield asking
        finally:
            asking.stop()
    for future in futures:
        future.result()


def test_services_are_replaced_one_after_another_and_back(system: System) -> None:
    for kind in MODULES:
        system.start(kind, OLD)
        system.use(kind, OLD)
    assert {system.client.solve(question) for question in CACHED} == {"miss"}
    upgrade = [(kind, OLD, NEW) for kind in MODULES]
    rollback = [(kind, NEW, OLD) for kind in reversed(MODULES)]
    with load(system.client) as asking:
        for kind, before, after in upgrade + rollback:
            system.start(kind, after)
            for versions in ((before, after), (after,)):
                system.use(kind, *versions)
                asking.go_on()
            system.end(kind, before)
    assert {system.client.solve(question) for question in CACHED} == {"hit"}
