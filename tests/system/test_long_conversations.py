"""Conversations with more pictures than can be looked at, or than a key may have looked at."""

import base64
import json
import socket
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from conftest import gateway_config
from gateway.tenancy.keys_file import KeysFile, TenantRecord
from support import http
from support.pictures import data_url, png
from support.processes import Service
from support.scripted import Script, ScriptedServer

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
    content = json.dumps(body)
    return http.post(f"{service.url}/v1/chat/completions", content=content, headers=headers)


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
def test_a_chat_goes_on_behind_its_twenty_first_picture(
    gateway, captioner, reasoner, stream
) -> None:
    first = 100 + 100 * stream
    messages = [*(shown(first + n) for n in range(21)), said("Thanks. What is 2 + 2?")]
    assert ask(gateway, messages, stream=stream).status_code == 200
    told = contents(reasoner)
    left_out = [LEFT_OUT in one for one in told]
    # Twenty-one pictures and one question about the last: ten of the oldest looks are left out.
    assert left_out == [True] * 10 + [False] * 12
    assert all("<visual_context" in one for one in told[10:])
    assert len(captioner.perceptions) == 12


def test_of_forty_turns_two_change_what_the_reasoner_was_told_before(gateway, reasoner) -> None:
    told: list[list[str]] = []
    for count in range(1, 41):
        answer = ask(gateway, [shown(number) for number in range(count)])
        assert answer.status_code == 200
        told.append(contents(reasoner))
    changed = [
        len(longer) for shorter, longer in pairwise(told) if longer[: len(shorter)] != shorter
    ]
    assert changed == [21, 31]


@pytest.mark.parametrize("as_json", [False, True], ids=["parts", "json"])
def test_a_tool_may_give_more_pictures_than_are_looked_at(gateway, reasoner, as_json) -> None:
    urls = [data_url(png(f"tool {number}")) for number in range(25)]
    parts = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
    content = json.dumps(parts) if as_json else parts
    called = [said("Look."), {"role": "tool", "tool_call_id": "1", "content": content}]
    assert ask(gateway, called).status_code == 200
    told = reasoner.chats[-1].json["messages"][2]["content"]
    assert told.count(LEFT_OUT) == 10
    assert told.count("visual_context: images 1 to 15") == 1
    # In a later turn it is what it was.
    assert ask(gateway, [*called, said("Thanks. 2 + 2?")]).status_code == 200
    assert reasoner.chats[-1].json["messages"][2]["content"] == told


def test_tools_may_give_more_pictures_in_one_turn_than_are_looked_at(gateway, reasoner) -> None:
    results = [{**shown(number), "role": "tool", "tool_call_id": "1"} for number in range(25)]
    assert ask(gateway, [said("Look."), *results]).status_code == 200
    told = [one["content"] for one in reasoner.chats[-1].json["messages"] if one["role"] == "tool"]
    assert [LEFT_OUT in one for one in told] == [True] * 10 + [False] * 15


BROKEN = {
    "damaged": ("data:image/png;base64,AAAA", "unsupported_media_type"),
    "no-base64": ("data:image/png;base64,****", "invalid_image"),
    "gone": ("{reasoner}/files/gone.png", "url_forbidden"),
}


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize(("url", "code"), BROKEN.values(), ids=BROKEN)
def test_a_picture_that_was_refused_does_not_end_the_chat(
    gateway, reasoner, url, code, stream
) -> None:
    url = url.format(reasoner=reasoner.url)
    picture = {"type": "image_url", "image_url": {"url": url}}
    broken = {"role": "user", "content": [{"type": "text", "text": "Look"}, picture]}
    refused = ask(gateway, [broken])
    assert refused.json()["error"]["code"] == code
    assert refused.json()["error"]["param"] == "messages[0].content[1].image_url"
    later = ask(gateway, [broken, said("Never mind. What is 2 + 2?"), shown(7)], stream=stream)
    assert later.status_code == 200
    assert later.headers["x-racro-visual-context"].startswith("failed, failed, ")
    first, second, third = contents(reasoner)
    assert "[image: could not be looked at: " in first
    assert "[image shown earlier: could not be looked at again: " in second
    assert "<visual_context" in third


def test_a_picture_that_the_captioner_refused_does_not_end_the_chat(
    gateway, captioner, reasoner
) -> None:
    error = {"type": "invalid_request_error", "code": "invalid_image", "message": "damaged"}
    captioner.script.status, captioner.script.plain = 400, {"error": error}
    assert ask(gateway, [shown(900)]).status_code == 400
    refused = Script(status=400, plain={"error": error})
    first = data_url(png("900 0"))
    captioner.script.status = 200
    captioner.script.respond = lambda asked: refused if asked["images"] == [first] else None
    assert ask(gateway, [shown(900), shown(901)]).status_code == 200
    assert "could not be looked at: the captioner cannot read it" in contents(reasoner)[0]


def test_a_picture_whose_server_hangs_does_not_end_the_chat(captioner, reasoner) -> None:
    fetch = {"allow_private": True, "timeout_s": 0.5}
    config = gateway_config(captioner.url, reasoner.url, fetch=fetch)
    with socket.create_server(("127.0.0.1", 0)) as silent, Service("gateway", config) as service:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/a.png"
        picture = {"type": "image_url", "image_url": {"url": url}}
        asked = {"role": "user", "content": [{"type": "text", "text": "Look"}, picture]}
        assert ask(service, [asked]).status_code == 504
        assert ask(service, [asked, shown(920)]).status_code == 200
    assert "[image: could not be looked at: it took too long]" in contents(reasoner)[0]


def test_more_pictures_than_a_key_may_have_do_not_end_the_chat(limited, reasoner) -> None:
    service, key = limited
    refused = ask(service, [shown(930, images=3)], key=key)
    assert refused.status_code == 400
    assert "3 images; images_per_minute = 2" in refused.json()["error"]["message"]
    assert ask(service, [shown(930, images=3), shown(931)], key=key).status_code == 200
    assert contents(reasoner)[0].count("[image: could not be looked at: ") == 3


def test_a_captioner_that_fails_ends_the_request_as_before(gateway, captioner) -> None:
    captioner.script.status, captioner.script.plain = 500, {"error": {"message": "broken"}}
    assert ask(gateway, [shown(910), shown(911)]).status_code == 503


def test_many_pictures_in_earlier_messages_do_not_count_against_a_new_one(
    gateway, reasoner
) -> None:
    messages = [shown(1, images=10), shown(2, images=13), shown(3, images=2)]
    assert ask(gateway, messages).status_code == 200
    first, second, third = contents(reasoner)
    assert first.count(LEFT_OUT) == 10
    assert LEFT_OUT not in second + third


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


UNSEEN: dict[str, Message] = {
    "video": {"type": "video_url", "video_url": {"url": "https://example.org/v.mp4"}},
    "file-id": {"type": "file", "file": {"file_id": "file-1"}},
    "path": {"type": "image", "path": "/tmp/a.png"},
    "no-url": {"type": "image_url", "image_url": {}},
}


@pytest.mark.parametrize("role", ["user", "tool"])
@pytest.mark.parametrize("part", UNSEEN.values(), ids=UNSEEN)
def test_what_cannot_be_seen_is_refused_in_its_own_turn_only(gateway, reasoner, part, role) -> None:
    message = {"role": role, "content": [{"type": "text", "text": "Look"}, part]}
    refused = ask(gateway, [said("Go on."), message])
    assert refused.status_code == 400
    assert refused.json()["error"]["param"].startswith("messages[2].content[1]")
    assert not reasoner.chats
    later = ask(gateway, [said("Go on."), message, said("Never mind. What is 2 + 2?")])
    assert later.status_code == 200
    told = reasoner.chats[-1].json["messages"][2]["content"]
    assert told.startswith("Look\n[image: could not be looked at: ")
    assert "messages[" not in told


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_what_a_tool_wrote_is_no_error_in_its_own_turn_either(
    gateway, captioner, reasoner, stream
) -> None:
    drawing = base64.b64encode(b'<svg xmlns="http://www.w3.org/2000/svg">' + b" " * 300).decode()
    written = {
        "icon": f"data:image/svg+xml;base64,{drawing}",
        "shot": data_url(png(f"tool {stream}")),
    }
    result = {"role": "tool", "tool_call_id": "1", "content": json.dumps(written)}
    answer = ask(gateway, [said("Look."), result], stream=stream)
    assert answer.status_code == 200
    assert [len(one.json["images"]) for one in captioner.perceptions] == [1]
    told = json.loads(reasoner.chats[-1].json["messages"][2]["content"])
    assert told["icon"].startswith("[image: could not be looked at: this is SVG")
    assert told["shot"].startswith("<visual_context: image; data")


def test_images_beside_the_content_that_are_none_do_not_end_the_chat(gateway, reasoner) -> None:
    message = {**said("Look"), "images": [data_url(png("beside")), 5]}
    assert ask(gateway, [message]).json()["error"]["param"] == "messages[0].images[1]"
    assert ask(gateway, [message, said("Never mind.")]).status_code == 200
    told = contents(reasoner)[0]
    assert "<visual_context: image; data" in told
    assert told.count("could not be looked at") == 1


DAMAGED = {"type": "image_url", "image_url": {"url": "data:image/png;base64,****"}}


@pytest.mark.parametrize("odd", [{"role": "user", "content": 5}, {"role": None}, None, 5], ids=str)
def test_an_odd_message_hides_no_picture_of_another(gateway, captioner, reasoner, odd) -> None:
    body = {"model": "default", "messages": [odd, shown(905)]}
    answer = http.post(f"{gateway.url}/v1/chat/completions", json=body)
    assert answer.status_code == 200
    first, second = reasoner.chats[-1].json["messages"]
    assert first == odd
    assert "<visual_context: image; data" in second["content"]


def test_half_of_a_surrogate_pair_does_not_end_a_chat_with_its_first_picture(
    gateway, reasoner
) -> None:
    cut = said("cut \ud83d")
    assert ask(gateway, [cut]).status_code == 200
    assert ask(gateway, [cut, shown(906)]).status_code == 200
    first, second = contents(reasoner)
    assert first == "cut \ud83d"
    assert "<visual_context: image; data" in second


def test_one_bad_picture_takes_no_good_one_with_it(gateway, captioner, reasoner) -> None:
    message = shown(910, images=3)
    _, first, second, third = message["content"]
    message["content"] = [DAMAGED, first, second, DAMAGED, third]
    assert ask(gateway, [message]).status_code == 400
    assert ask(gateway, [message, said("Thanks.")]).status_code == 200
    asked = [one.json["images"] for one in captioner.perceptions]
    assert {len(images) for images in asked} == {3}
    told, again = contents(reasoner)
    lines = [line for line in told.splitlines() if "image" in line]
    bad = "[image: could not be looked at: the data URL is not valid base64]"
    assert lines[0] == bad
    assert lines[1].startswith("<visual_context: images 1 to 3;")
    assert lines[-3:] == [
        "[image 2: described in the visual context above]",
        bad,
        "[image 3: described in the visual context above]",
    ]
    assert "<visual_context: images 1 to 3 shown earlier" in again
    assert "could not be" not in again


def test_of_a_picture_that_the_captioner_refuses_it_is_asked_about_the_others(
    gateway, captioner, reasoner
) -> None:
    message = shown(920, images=3)
    error = {"type": "x", "code": "invalid_image", "message": "no", "param": "images[1]"}
    refused = Script(status=400, plain={"error": error})
    captioner.script.respond = lambda asked: refused if len(asked["images"]) == 3 else None
    assert ask(gateway, [message]).json()["error"]["param"] == "messages[0].content[2].image_url"
    assert ask(gateway, [message, shown(921)]).status_code == 200
    told = contents(reasoner)[0]
    assert "<visual_context: images 1 to 2;" in told
    assert told.endswith(
        "\n[image: could not be looked at: the captioner cannot read it]"
        "\n[image 2: described in the visual context above]"
    )


def test_of_a_text_with_pictures_the_others_are_seen(gateway, captioner, reasoner) -> None:
    error = {"type": "x", "code": "invalid_image", "message": "no", "param": "images[1]"}
    refused = Script(status=400, plain={"error": error})
    captioner.script.respond = lambda asked: refused if len(asked["images"]) == 3 else None
    pictures = [data_url(png(f"shot {number}")) for number in range(930, 933)]
    result = {"role": "tool", "content": json.dumps({"shots": pictures})}
    assert ask(gateway, [{"role": "user", "content": "Look."}, result]).status_code == 200
    told = reasoner.chats[-1].json["messages"][-1]["content"]
    [first, second, third] = json.loads(told)["shots"]
    assert first.startswith("<visual_context: images 1 to 2;")
    assert second == "[image: could not be looked at: the captioner cannot read it]"
    assert third == "[image 2: described in the visual context above]"
