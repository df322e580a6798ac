"""Which images are looked at for which question, and what stands in their place afterwards."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dialects.chat_conversation import ChatConversation
from gateway.dialects.context_insertion import insert_contexts
from gateway.dialects.conversation import find_image_turns
from gateway.settings import LimitsSection
from racro.contracts.errors import InvalidRequest
from racro.contracts.prompts import further_image, visual_context_block

LIMITS = LimitsSection()

URL = "https://example.org/{}.png"


def image(name: str, *, as_text: bool = False) -> dict:
    url = URL.format(name)
    return {"type": "image_url", "image_url": url if as_text else {"url": url, "detail": "low"}}


def text(words: str) -> dict:
    return {"type": "text", "text": words}


def user(*content: Any) -> dict:
    return {"role": "user", "content": content[0] if isinstance(content[0], str) else [*content]}


def assistant(words: str) -> dict:
    return {"role": "assistant", "content": words}


def tool(*content: Any) -> dict:
    return {**user(*content), "role": "tool", "tool_call_id": "call-1"}


def encode(messages: Any) -> bytes:
    return json.dumps(messages).encode()


def looks(messages: Any, *, follow_up: bool = True) -> list[tuple]:
    """(message, images by name, question, follow-up?)"""
    return [
        (
            look.index,
            "".join(source.content[len(URL.format("")) - 4 : -4] for source in look.images),
            look.question,
            look.follow_up,
        )
        for look in find_image_turns(
            ChatConversation(encode(messages)), LIMITS, follow_up=follow_up
        )
    ]


CONVERSATIONS: dict[str, tuple[list[dict], list[tuple]]] = {
    "no image": ([user("hi"), assistant("hi"), user(text("how are you?"))], []),
    "an image and its question": ([user(text("What?"), image("a"))], [(0, "a", "What?", False)]),
    "an image as a text": ([user(image("a", as_text=True))], [(0, "a", None, False)]),
    "an image alone": ([user(image("a"))], [(0, "a", None, False)]),
    "an image with empty words": ([user(image("a"), text(" \n"))], [(0, "a", None, False)]),
    "all texts of a turn are its question": (
        [user(text("Look: "), image("a"), text("What?"))],
        [(0, "a", "Look: \nWhat?", False)],
    ),
    "texts may be those of another API": (
        [user({"type": "input_text", "text": "What?"}, image("a"))],
        [(0, "a", "What?", False)],
    ),
    "several images are one look": (
        [user(image("a"), text("Which?"), image("b"))],
        [(0, "ab", "Which?", False)],
    ),
    "each turn has its own": (
        [user(image("a"), text("A?")), assistant("1"), user(image("b"), text("B?"))],
        [(0, "a", "A?", False), (2, "b", "B?", False)],
    ),
    "a later question looks again": (
        [user(image("a"), text("A?")), assistant("1"), user("And B?")],
        [(0, "a", "A?", False), (2, "a", "And B?", True)],
    ),
    "three turns look again, the fourth does not": (
        [user(image("a"), text("0")), *(user(str(turn)) for turn in range(1, 6))],
        [(0, "a", "0", False), *((turn, "a", str(turn), True) for turn in (1, 2, 3))],
    ),
    "an image starts the count anew": (
        [user(image("a")), user("1"), user("2"), user(image("b")), user("3"), user("4")],
        [
            (0, "a", None, False),
            (1, "a", "1", True),
            (2, "a", "2", True),
            (3, "b", None, False),
            (4, "b", "3", True),
            (5, "b", "4", True),
        ],
    ),
    "a turn without words is a turn, and nothing to look for": (
        [user(image("a")), user(" "), user("2"), user("3"), user("4")],
        [(0, "a", None, False), (2, "a", "2", True), (3, "a", "3", True)],
    ),
    "an image of a tool is for the user's last words": (
        [user("Old"), user("Draw it."), assistant("ok"), tool(image("t"), text("done"))],
        [(3, "t", "Draw it.", False)],
    ),
    "the user's last words may be some turns back": (
        [user("Draw it."), user(image("a")), tool(image("t"))],
        [(1, "a", None, False), (2, "t", "Draw it.", False)],
    ),
    "a server that takes no images of tools gets them as the user's": (
        [user("Draw it."), assistant("ok"), tool("see below"), user(image("t")), user(image("u"))],
        [(3, "t", "Draw it.", False), (4, "u", "Draw it.", False)],
    ),
    "an image without words behind an answer is for no question": (
        [user("Draw it."), tool("done"), assistant("There."), user(image("a"))],
        [(3, "a", None, False)],
    ),
    "an image without words behind words that came behind a result": (
        [user("Draw it."), tool("done"), user("Stop."), user(image("a"))],
        [(3, "a", None, False)],
    ),
    "an image of a tool before any words": ([tool(image("t"))], [(0, "t", None, False)]),
    "a tool's words are no question": (
        [user(image("a"), text("A?")), tool("some result")],
        [(0, "a", "A?", False)],
    ),
    "a tool's image is what the next turn looks at": (
        [user("Draw it."), tool(image("t")), user("Higher?")],
        [(1, "t", "Draw it.", False), (2, "t", "Higher?", True)],
    ),
    "instructions ask nothing": (
        [
            {**user(image("a"), text("Be brief.")), "role": "system"},
            user("Hi"),
            {**user(image("b"), text("Be polite.")), "role": "developer"},
        ],
        [(0, "a", None, False), (1, "a", "Hi", True), (2, "b", None, False)],
    ),
    "an image of the assistant is for the user's last words": (
        [user("Draw it."), {**user(image("a"), text("Done.")), "role": "assistant"}, user("Why?")],
        [(1, "a", "Draw it.", False), (2, "a", "Why?", True)],
    ),
    "an image of the assistant before any words": (
        [{**user(image("a"), text("Hello!")), "role": "assistant"}],
        [(0, "a", None, False)],
    ),
    "a user's message may have but results of tools": (
        [
            user("Draw it."),
            user({"type": "tool_result", "tool_use_id": "1", "content": [image("a")]}),
        ],
        [(1, "a", "Draw it.", False)],
    ),
    "a result's image is for the user's last words, whatever an agent writes beside it": (
        [
            user("<environment_context>Monday</environment_context>"),
            user(
                text("<task>Draw it.</task>"), text("<environment_details>1</environment_details>")
            ),
            user(
                {"type": "tool_result", "tool_use_id": "1", "content": [text("ok"), image("a")]},
                text("<environment_details>2</environment_details>"),
            ),
            tool(image("b"), text("<task>Other words</task>")),
        ],
        [(2, "a", "Draw it.", False), (3, "b", "Draw it.", False)],
    ),
    "words beside a result are the question": (
        [
            user("Draw it."),
            user(
                {"type": "tool_result", "tool_use_id": "1", "content": [image("a")]},
                text("Higher?"),
            ),
        ],
        [(1, "a", "Higher?", False)],
    ),
    "an agent's message between turns asks nothing": (
        [
            user(image("a"), text("What?")),
            user("<environment_context>Tuesday</environment_context>"),
            user("And now?"),
        ],
        [(0, "a", "What?", False), (2, "a", "And now?", True)],
    ),
    "reminders are not the question": (
        [
            user(
                image("a"),
                text("<system-reminder>It is\nMonday.</system-reminder>What?"),
                text("<SYSTEM-REMINDER>x</SYSTEM-REMINDER>"),
            ),
            user("<system-reminder>It is Tuesday.</system-reminder>"),
        ],
        [(0, "a", "What?", False)],
    ),
    "two reminders with words between them": (
        [
            user(
                image("a"),
                text(
                    "<system-reminder>1</system-reminder>Why?<system-reminder>2</system-reminder>"
                ),
            )
        ],
        [(0, "a", "Why?", False)],
    ),
}


SPACED = rb"""[ { "role" : "user" , "content" : [
    {"text" :  "caf\u00e9 \"x\" \n"  , "type" : "text" } , {"type":"image_url","image_url":"u"},
    { "type": "text" , "text":"" } , {"type":"text"} ] } ,
    {"role":"user", "content" :  "And?" } ]"""


def test_texts_are_joined_as_they_are_written(a_context) -> None:
    turns = find_image_turns(ChatConversation(SPACED), LIMITS, follow_up=True)
    contexts = {turn.index: (turn, a_context("c")) for turn in turns}
    first, second = [
        json.loads(bytes(one)) for one in insert_contexts(ChatConversation(SPACED), contexts)
    ]
    shown = visual_context_block(images=1, caption="c")
    assert first == {"role": "user", "content": f'caf\u00e9 "x" \n\n{shown}\n\n'}
    asked_again = visual_context_block(images=1, caption="c", follow_up=True)
    assert second == {"role": "user", "content": f"{asked_again}\nAnd?"}


@pytest.mark.parametrize("size", [0, 100_000])
def test_a_message_of_very_many_fields_is_not_rewritten(a_context, size) -> None:
    message = {f"name{number}": "x" * (size // 128) for number in range(128)}
    raw = encode([{"role": "user", "content": [image("a")], **message}])
    [turn] = find_image_turns(ChatConversation(raw), LIMITS, follow_up=True)
    with pytest.raises(InvalidRequest, match="more fields than 128") as refusal:
        insert_contexts(ChatConversation(raw), {0: (turn, a_context("c"))})
    assert refusal.value.param == "messages[0]"


@pytest.mark.parametrize(("messages", "expected"), CONVERSATIONS.values(), ids=CONVERSATIONS)
def test_what_a_conversation_asks_to_look_at(messages, expected) -> None:
    assert looks(messages) == expected


@pytest.mark.parametrize(("messages", "expected"), CONVERSATIONS.values(), ids=CONVERSATIONS)
def test_follow_ups_can_be_turned_off_and_nothing_else_with_them(messages, expected) -> None:
    without = [look for look in expected if not look[3]]
    assert looks(messages, follow_up=False) == without


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url"},
        {"type": "image_url", "image_url": None},
        {"type": "image_url", "image_url": ""},
        {"type": "image_url", "image_url": {}},
        {"type": "image_url", "image_url": {"detail": "low"}},
        {"type": "image_url", "image_url": {"url": ""}},
    ],
    ids=str,
)
def test_an_image_without_a_url_is_refused_at_its_place(part) -> None:
    messages = encode([user("hi"), user(text("What?"), part)])
    [turn] = find_image_turns(ChatConversation(messages), LIMITS, follow_up=True)
    [refusal] = [image.refusal for image in turn.images]
    assert isinstance(refusal, InvalidRequest)
    assert refusal.param == "messages[1].content[1].image_url"
    assert refusal.message.startswith("messages[1].content[1].image_url: ")


@pytest.mark.parametrize(
    "messages", [{"role": "user", "content": [image("a")]}, {"a": {"type": "image"}}], ids=str
)
@pytest.mark.parametrize("separators", [(",", ":"), (" , ", " : ")], ids=["dense", "spaced"])
def test_an_image_where_there_is_no_list_is_refused_rather_than_lost(messages, separators) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        find_image_turns(
            ChatConversation(json.dumps(messages, separators=separators).encode()),
            LIMITS,
            follow_up=True,
        )
    assert refusal.value.param == "messages"


ODD_MESSAGES = {
    "content-number": {"role": "user", "content": 5},
    "content-true": {"role": "user", "content": True},
    "role-null": {"role": None, "content": "Hi"},
    "role-number": {"role": 5, "content": [text("Hi")]},
    "text-number": {"role": "user", "content": [{"type": "text", "text": 5}]},
    "type-null": {"role": "user", "content": [{"type": None, "text": "Hi"}]},
    "part-null": {"role": "user", "content": [None, {"type": "text", "text": "Hi"}]},
    "part-text": {"role": "user", "content": ["Hi"]},
    "null": None,
    "number": 5,
    "list": [[]],
}


@pytest.mark.parametrize("odd", ODD_MESSAGES.values(), ids=ODD_MESSAGES)
@pytest.mark.parametrize("comes_first", [False, True])
def test_beside_an_odd_message_images_are_seen(a_context, odd, comes_first) -> None:
    shown = user(text("What?"), image("a"))
    messages = [odd, shown] if comes_first else [shown, odd]
    turn = next(iter(find_image_turns(ChatConversation(encode(messages)), LIMITS, follow_up=True)))
    assert (turn.index, turn.question) == (int(comes_first), "What?")
    sent = placed(messages, a_context, follow_up=False)
    # What is odd is left to the reasoner.
    assert json.loads(sent[not comes_first]) == odd
    assert b"image_url" not in sent[comes_first]


@pytest.mark.parametrize(
    ("message", "rest"),
    [
        ({"role": "user", "content": image("a")}, []),
        ({"role": "user", "content": [None, image("a")]}, [None]),
        ({"role": "user", "content": ["Hi", image("a")]}, []),
        ({"role": 5, "content": [image("a")]}, []),
        ({"role": None, "content": [image("a")]}, []),
        ({"role": "user", "content": [{"type": "text", "text": 5}, image("a")]}, [5]),
        ({"role": "user", "content": [{**image("a"), "type": None}]}, []),
    ],
    ids=str,
)
def test_images_of_an_odd_message_are_seen(a_context, message, rest) -> None:
    [sent] = placed([message], a_context)
    assert b"image_url" not in sent
    assert b"<visual_context: image; data" in sent
    assert all(json.dumps(one).encode() in sent for one in rest)
    assert json.loads(sent)["role"] == message["role"]


def test_of_two_contents_the_last_counts(a_context) -> None:
    raw = encode([user(image("a"))]).replace(b'"content"', b'"content": 5, "content"')
    [turn] = find_image_turns(ChatConversation(raw), LIMITS, follow_up=True)
    [sent] = insert_contexts(ChatConversation(raw), {0: (turn, a_context("c"))})
    assert b"<visual_context: image; data" in bytes(sent)


@pytest.mark.parametrize(
    "messages",
    [None, 5, "hi", {}, [None], [[]], [{}], [{"role": 5}], [{"role": "user", "content": 5}]],
    ids=str,
)
def test_other_shapes_without_an_image_are_the_reasoners_to_refuse(messages) -> None:
    assert looks(messages) == []


def placed(messages: list[dict], a_context, *, follow_up: bool = True) -> list[bytes]:
    """The messages as they go out, each look's caption telling what was looked at for what."""
    raw = encode(messages)
    contexts = {}
    for look in find_image_turns(ChatConversation(raw), LIMITS, follow_up=follow_up):
        names = [source.content for source in look.images]
        contexts[look.index] = (look, a_context(f"{names} for {look.question}"))
    return [bytes(message) for message in insert_contexts(ChatConversation(raw), contexts)]


def block(*names: str, question: str | None, follow_up: bool = False) -> str:
    return visual_context_block(
        images=len(names),
        caption=f"{[URL.format(name) for name in names]} for {question}",
        follow_up=follow_up,
    )


SPECIAL = "<|im_end|> <image> &amp; é"
REMINDER = "<system-reminder>Monday</system-reminder>"
PLACED: dict[str, tuple[dict, list[str]]] = {
    "where the image stood": (
        user(text("Look: "), image("a"), text("What?")),
        ["Look: ", block("a", question="Look: \nWhat?"), "What?"],
    ),
    "an image alone": (user(image("a")), [block("a", question=None)]),
    "further images point to the first": (
        user(image("a"), text("Which?"), image("b")),
        [block("a", "b", question="Which?"), "Which?", further_image(2)],
    ),
    "a reminder is forwarded though it is no question": (
        user(image("a"), text(f"What?{REMINDER}")),
        [block("a", question="What?"), f"What?{REMINDER}"],
    ),
    "the client's own text is not neutralised": (
        user(image("a"), text(SPECIAL)),
        [block("a", question=SPECIAL), SPECIAL],
    ),
}


@pytest.mark.parametrize(("message", "lines"), PLACED.values(), ids=PLACED)
def test_visual_contexts_stand_where_images_stood(a_context, message, lines) -> None:
    [sent] = placed([message], a_context)
    assert json.loads(sent) == {"role": "user", "content": "\n".join(lines)}


@pytest.mark.parametrize("content", ["And B?", [text("And B?")]], ids=["text", "parts"])
def test_a_further_look_stands_before_the_text(a_context, content) -> None:
    first = user(image("a"))
    _, sent = placed([first, {"role": "user", "content": content}], a_context)
    again = block("a", question="And B?", follow_up=True)
    assert json.loads(sent)["content"] == f"{again}\nAnd B?"


def test_other_fields_of_a_rewritten_message_stay_what_they_were(a_context) -> None:
    message = {**tool(image("t")), "name": "draw", "unknown": {"n": 2**70, "f": 1.50}}
    [sent] = placed([message], a_context)
    assert {**json.loads(sent), "content": None} == {**message, "content": None}


@pytest.mark.parametrize("follow_up", [False, True])
def test_a_part_of_another_kind_is_kept(a_context, follow_up) -> None:
    part = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}
    turns = [user(image("a")), user(text("B?"), part)] if follow_up else [user(image("a"), part)]
    *_, sent = placed(turns, a_context)
    content = json.loads(sent)["content"]
    assert isinstance(content, list)
    assert part in content


WORDS = st.text('ab ?é\n"\\<|', max_size=6)
IMAGES = st.builds(image, st.sampled_from("abc"), as_text=st.booleans())
PARTS = st.lists(WORDS.map(text) | IMAGES, max_size=4)
MESSAGES = st.lists(
    st.one_of(
        st.builds(user, WORDS),
        st.fixed_dictionaries({"role": st.just("user"), "content": PARTS}),
        st.fixed_dictionaries({"role": st.just("tool"), "content": PARTS | WORDS}),
        st.builds(assistant, WORDS),
        st.fixed_dictionaries(
            {"role": st.sampled_from(["system", "developer", "assistant"]), "content": PARTS}
        ),
        st.just({"role": "assistant", "content": None, "tool_calls": [{"id": "call-1"}]}),
    ),
    max_size=8,
)


@given(MESSAGES, st.booleans(), st.data())
def test_the_same_history_gives_the_same_prefix_to_the_byte(
    a_context, messages, follow_up, data
) -> None:
    """So that the reasoner's prefix cache keeps working from turn to turn."""
    length = data.draw(st.integers(0, len(messages)))
    whole = placed(messages, a_context, follow_up=follow_up)
    assert placed(messages[:length], a_context, follow_up=follow_up) == whole[:length]


@given(MESSAGES, st.booleans())
def test_only_what_is_looked_at_is_rewritten_and_of_it_only_images(
    a_context, messages, follow_up
) -> None:
    sent = placed(messages, a_context, follow_up=follow_up)
    rewritten = {look[0] for look in looks(messages, follow_up=follow_up)}
    for index, (message, out) in enumerate(zip(messages, sent, strict=True)):
        if index not in rewritten:
            assert out == encode(message)
            continue
        assert b'"image_url"' not in out
        content = json.loads(out)["content"]
        given_parts = message["content"]
        if isinstance(given_parts, str):
            given_parts = [text(given_parts)]
        rest = content
        for words in [part["text"] for part in given_parts if part["type"] == "text"]:
            assert words in rest
            rest = rest[rest.index(words) + len(words) :]


@given(MESSAGES)
def test_every_image_is_looked_at_exactly_where_it_was_shown(messages) -> None:
    shown = {
        index: names
        for index, message in enumerate(messages)
        if isinstance(message["content"], list)
        if (
            names := [
                url["url"] if isinstance(url := part["image_url"], dict) else url
                for part in message["content"]
                if part["type"] == "image_url"
            ]
        )
    }
    found = {
        look.index: [source.content for source in look.images]
        for look in find_image_turns(ChatConversation(encode(messages)), LIMITS, follow_up=True)
        if not look.follow_up
    }
    assert found == shown


REMINDERS = re.compile(r"<system-reminder>.*?</system-reminder>", re.DOTALL | re.IGNORECASE)
TAGS = [
    "<system-reminder>",
    "</system-reminder>",
    "<SYSTEM-reminder>",
    "</System-Reminder>",
    "<",
    "a",
    "\n",
]


@given(st.lists(st.sampled_from(TAGS)).map("".join))
def test_what_stands_in_reminders_is_no_question(words) -> None:
    [turn] = find_image_turns(
        ChatConversation(encode([user(image("a"), text(words))])), LIMITS, follow_up=True
    )
    assert turn.question == (REMINDERS.sub("", words).strip() or None)


@pytest.mark.parametrize("distance", range(45))
def test_a_reminder_is_found_wherever_it_stands_in_a_long_text(distance) -> None:
    # On both sides of where one search of the text ends and the next begins.
    words = "a" * (2**16 - distance) + "<system-reminder>b</system-reminder>c"
    [turn] = find_image_turns(
        ChatConversation(encode([user(image("a"), text(words))])), LIMITS, follow_up=True
    )
    assert turn.question == words[: 2**16 - distance] + "c"


AGENTS_WORDS = {
    "a path": ["[Image: source: /tmp/1.png]"],
    "an envelope": ['<image name=[Image #1] path="/tmp/1.png">', "</image>"],
    "images of a tool": ["Attached image(s) from tool result:"],
    "a file": ["This is file 1a2b3c:"],
}


@pytest.mark.parametrize("words", AGENTS_WORDS.values(), ids=AGENTS_WORDS)
def test_an_image_with_words_of_agents_alone_is_asked_with_the_users_last_words(words) -> None:
    shown = user(text(words[0]), image("a"), *map(text, words[1:]))
    [turn] = find_image_turns(
        ChatConversation(encode([user(text("How high is it?")), shown])), LIMITS, follow_up=True
    )
    assert turn.question == "How high is it?"


@pytest.mark.parametrize(
    "words", ["[Request interrupted by user]", "[Image: original 4x2, displayed at 2x1.]"]
)
def test_words_of_agents_alone_are_no_follow_up(words) -> None:
    messages = [user(image("a"), text("How high is it?")), user(text(words))]
    [turn] = find_image_turns(ChatConversation(encode(messages)), LIMITS, follow_up=True)
    assert (turn.question, turn.follow_up) == ("How high is it?", False)
