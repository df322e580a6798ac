"""Conversations with more pictures than can be looked at, or than a key may have looked at."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from conftest import gateway_config
from gateway.tenancy.keys_file import KeysFile, TenantRecord
from support import http
from support.pictures import data_url, png
from support.processes import Service
from support.scripted import ScriptedServer

Message = dict[str, Any]
LEFT_OUT = "[image: shown earlier, not looked at any more]"


def shown(number: int, *, images: int = 1) -> Message:
    """A user's message with pictures that no other one has."""
    urls = [data_url(png(f"{number} {image}")) for image in range(images)]
    pictures = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
    return {"role": "user", "content": [{"type": "text", "text": f"Look {number}"}, *pictures]}


def said(text: str) -> Message:
    return {"role": "user", "content": text}


def with_answers(messages: list[Message]) -> list[Message]:
    answer = {"role": "assistant", "content": "Seen."}
    return [one for message in messages for one in (message, answer)][:-1]


def ask(service: Service, messages: list[Message], *, key: str = "", stream: bool = False):
    body = {"model": "default", "messages": with_answers(messages), "stream": stream}
    headers = {"x-api-key": key} if key else {}
    return http.post(f"{service.url}/v1/chat/completions", json=body, headers=headers)


@pytest.fixture(scope="module")
def _gateway(_scripted_captioner, _scripted_reasoner) -> Iterator[Service]:
    with Service(
        "gateway", gateway_config(_scripted_captioner.url, _scripted_reasoner.url)
    ) as service:
        yield service


@pytest.fixture
def gateway(_gateway, captioner, reasoner) -> Service:
    return _gateway


def contents(reasoner: ScriptedServer) -> list[str]:
    """What stands in the user's messages of the last request to the reasoner."""
    messages = reasoner.chats[-1].json["messages"]
    return [message["content"] for message in messages if message["role"] == "user"]


@pytest.mark.parametrize("stream", [False, True])
def test_a_chat_goes_on_behind_its_seventeenth_picture(
    gateway, captioner, reasoner, stream
) -> None:
    first = 100 + 100 * stream
    messages = [*(shown(first + n) for n in range(17)), said("Thanks. What is 2 + 2?")]
    assert ask(gateway, messages, stream=stream).status_code == 200
    told = contents(reasoner)
    left_out = [LEFT_OUT in one for one in told]
    # Seventeen pictures and one question about the last: eight of the oldest looks are left out.
    assert left_out == [True] * 8 + [False] * 10
    assert all("<visual_context" in one for one in told[8:])
    assert len(captioner.perceptions) == 10


def test_what_the_reasoner_was_told_stays_as_it_was_for_many_turns(gateway, reasoner) -> None:
    told: list[list[str]] = []
    for count in range(17, 25):
        assert ask(gateway, [shown(number) for number in range(count)]).status_code == 200
        told.append(contents(reasoner))
    for shorter, longer in pairwise(told):
        assert longer[: len(shorter)] == shorter


def test_many_pictures_in_earlier_messages_do_not_count_against_a_new_one(
    gateway, reasoner
) -> None:
    messages = [shown(1, images=10), shown(2, images=9), shown(3, images=2)]
    assert ask(gateway, messages).status_code == 200
    first, second, third = contents(reasoner)
    assert first.count(LEFT_OUT) == 10
    assert LEFT_OUT not in second + third


def test_too_many_pictures_in_one_message_are_refused_by_name(gateway) -> None:
    refused = ask(gateway, [shown(1, images=17)])
    assert refused.status_code == 400
    assert "max_images = 16" in refused.json()["error"]["message"]


@pytest.fixture
def limited(captioner, reasoner, tmp_path) -> Iterator[tuple[Service, str]]:
    """A gateway, and a key that may have two pictures a minute looked at."""
    file, key = KeysFile().with_new_key("limited", TenantRecord(images_per_minute=2))
    path = tmp_path / "keys.yaml"
    file.write(path)
    config = gateway_config(captioner.url, reasoner.url, tenants={"keys_file": str(path)})
    with Service("gateway", config) as service:
        yield service, key


def test_a_chat_costs_no_more_looks_than_its_key_may_have(limited, captioner) -> None:
    service, key = limited
    # Sixteen turns about one picture each, with three questions more about each of them.
    messages = [
        message
        for number in range(16)
        for message in (shown(number), *(said(f"And {number}, {more}?") for more in range(3)))
    ]
    refused = ask(service, messages, key=key)
    assert refused.status_code == 429
    assert "images_per_minute = 2" in refused.json()["error"]["message"]
    assert refused.headers["retry-after"]
    assert len(captioner.perceptions) <= 2


def test_pictures_that_are_in_the_cache_cost_nothing(limited, captioner) -> None:
    service, key = limited
    messages = [shown(1), said("And the other bar?")]
    for _ in range(4):
        assert ask(service, messages, key=key).status_code == 200
    assert len(captioner.perceptions) == 2
    assert ask(service, [*messages, said("And the third one?")], key=key).status_code == 429
    assert ask(service, messages, key=key).status_code == 200


def test_what_was_looked_at_before_the_limit_is_there_when_a_client_asks_again(
    limited, captioner
) -> None:
    service, key = limited
    captioner.script.before_s = 0.2
    assert ask(service, [shown(number) for number in range(3)], key=key).status_code == 429
    looked_at = len(captioner.perceptions)
    assert looked_at == 2
    assert all(asked.finished for asked in captioner.perceptions)
    answers = [ask(service, [shown(number)], key=key).status_code for number in range(3)]
    assert sorted(answers) == [200, 200, 429]
    assert len(captioner.perceptions) == looked_at
