"""Minutes of load on two gateways whose Redis is killed and frozen again and again: no request
fails, and nothing grows. `SOAK_S` is how long.
"""

import os
import random
import statistics
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

import psutil
import pytest

from conftest import gateway_config
from support import http
from support.pictures import data_url, png
from support.processes import Service
from support.redis import RedisServer

SECONDS = int(os.environ.get("SOAK_S", "600"))
CLIENTS = 8
QUESTIONS = 2000
IMAGES = [data_url(png(str(number))) for number in range(5)]
KILLED_EVERY_S, AWAY_S = 30, 3
FROZEN_EVERY_S, FROZEN_S = 50, 2
SAMPLED_EVERY_S = 5


@dataclass
class Samples:
    """Of one gateway."""

    rss: list[int] = field(default_factory=list)
    descriptors: list[int] = field(default_factory=list)
    tasks: list[float] = field(default_factory=list)

    def take(self, service: Service) -> None:
        process = psutil.Process(service.pid)
        self.rss.append(process.memory_info().rss)
        self.descriptors.append(process.num_fds())
        self.tasks.append(service.metrics()["racro_tasks"])


def grown(samples: list[int] | list[float]) -> float:
    """From the second quarter to the last."""
    quarter = len(samples) // 4
    return statistics.median(samples[-quarter:]) - statistics.median(samples[quarter : 2 * quarter])


def load(services: list[Service], seen: Counter[str], stop: threading.Event, seed: int) -> None:
    rng = random.Random(seed)
    with http.client() as client:
        while not stop.is_set():
            # Some questions are asked often, most of them hardly ever.
            question = f"Question {int(QUESTIONS * rng.random() ** 3)}?"
            body = {"question": question, "images": [rng.choice(IMAGES)], "tentative": False}
            answer = client.post(f"{rng.choice(services).url}/v1/solve", json=body)
            seen[str(answer.status_code)] += 1
            if answer.status_code == 200:
                seen[answer.json()["visual_context"]["cache"]] += 1


def mistreat(redis: RedisServer, stop: threading.Event) -> None:
    for second in range(1, SECONDS):
        if stop.wait(1):
            return
        if second % KILLED_EVERY_S == 0:
            redis.kill()
            stop.wait(AWAY_S)
            redis.start()
        elif second % FROZEN_EVERY_S == 0:
            redis.freeze()
            stop.wait(FROZEN_S)
            redis.thaw()


@pytest.mark.timeout(SECONDS + 1800)
def test_nothing_fails_and_nothing_grows(captioner, reasoner) -> None:
    seen, stop = Counter[str](), threading.Event()
    with RedisServer() as redis:
        config = gateway_config(captioner.url, reasoner.url, cache={"url": redis.url})
        with Service("gateway", config) as one, Service("gateway", config) as other:
            services = {one: Samples(), other: Samples()}
            threads = [
                threading.Thread(target=load, args=([*services], seen, stop, seed))
                for seed in range(CLIENTS)
            ]
            threads.append(threading.Thread(target=mistreat, args=(redis, stop)))
            for thread in threads:
                thread.start()
            began = time.monotonic()
            while (elapsed := time.monotonic() - began) < SECONDS:
                time.sleep(SAMPLED_EVERY_S)
                for service, samples in services.items():
                    samples.take(service)
                captioner.asked.clear()
                reasoner.asked.clear()
                megabytes = [samples.rss[-1] >> 20 for samples in services.values()]
                print(f"{elapsed:4.0f} of {SECONDS} s, {dict(seen)}, {megabytes} MiB", flush=True)
            stop.set()
            for thread in threads:
                thread.join()
            immortal = [key for key in redis.client.scan_iter() if redis.client.ttl(key) == -1]
    assert {status for status in seen if status.isdecimal()} == {"200"}, seen
    assert immortal == []
    for samples in services.values():
        assert grown(samples.rss) < 8 * 2**20, samples.rss
        assert grown(samples.descriptors) < 10, samples.descriptors
        assert grown(samples.tasks) < 20, samples.tasks
