"""What is left of a text for the question, of what agents write round the user's words."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dialects.question_rules import RULES, Rule, own_words

COPILOT = """<attachments>
<attachment id="file">line 1</attachment>
</attachments>
<context>
The current date is {date}.
</context>
<editorContext>The current file is a.py.</editorContext>
<reminderInstructions>
Keep going.
</reminderInstructions>
<userRequest>
What is this?
</userRequest>
"""
CODEX = """<environment_context>
  <cwd>/work</cwd>
  <current_date>{date}</current_date>
</environment_context>"""
CLINE = """<task>
What is this?
</task>
<environment_details>
# Current Time
{date}
</environment_details>"""
TITLE = "Generate a title for this conversation:\n"
# What agents send, as their public sources or sessions have it, and the question.
SENT: dict[str, tuple[str, str]] = {
    "Claude Code": (
        "<system-reminder>\nToday's date is {date}.\n</system-reminder>\n\nWhat is this?",
        "What is this?",
    ),
    "Claude Code, words before it": (
        "What is this?<system-reminder>{date}</system-reminder>",
        "What is this?",
    ),
    "Claude Code in an IDE": (
        "<ide_opened_file>The user opened the file {date}.md in the IDE.</ide_opened_file>\nWhy?",
        "Why?",
    ),
    "Claude Code after a command": (
        "<local-command-stdout>{date}</local-command-stdout>\nWhy?",
        "Why?",
    ),
    "Codex": (CODEX, ""),
    "Codex, in one message": (f"{CODEX}\nWhat is this?", "What is this?"),
    "Cline": (CLINE, "What is this?"),
    "Cline, on one line": (
        "<task>Why?</task><environment_details>{date}</environment_details>",
        "Why?",
    ),
    "Copilot": (COPILOT, "What is this?"),
    "Copilot's first message": (
        "<environment_info>\nLinux, {date}\n</environment_info>\n"
        "<workspace_info>\n- /work\n</workspace_info>\n",
        "",
    ),
    "goose": ("Why?\n<info-msg>\nIt is currently {date}\n</info-msg>", "Why?"),
    "CodeBuddy": (
        "<additional_data><current_time>{date}</current_time></additional_data>\n"
        "<user_query>Why?</user_query>",
        "Why?",
    ),
    "opencode's title": (f"{TITLE}\nWhat is this?", "What is this?"),
    "opencode's title, a message of its own": (TITLE, ""),
    "opencode's title and a reminder": (
        f"{TITLE}<system-reminder>{{date}}</system-reminder>\nWhy?",
        "Why?",
    ),
    "Claude Code's size of an image": (
        "[Image: original 4000x2000, displayed at 2000x1000. Multiply coordinates by 2.00 to map"
        " to original image.]",
        "",
    ),
    "Claude Code's path of an image": ("[Image: source: /root/a [1]/{date}.png]", ""),
    "Claude Code's paths of images": ("[Image: source: /a.png]\n[Image: source: /b.png]\r\n", ""),
    "Claude Code's number of an image": ("[Image #1] What is this?", "What is this?"),
    "Claude Code's numbers of images": ("Is [Image #1] like [Image #22] ?", "Is like ?"),
    "Claude Code's number between words": ("like[Image #1]this", "like this"),
    "Claude Code's number alone": ("[Image #1]", ""),
    "Claude Code, interrupted": ("[Request interrupted by user]", ""),
    "Claude Code, interrupted in a tool": (
        "[Request interrupted by user for tool use]\nWhy?",
        "Why?",
    ),
    "Codex's image": ("<image name=[Image #1]>\n</image>\nWhat is this?", "What is this?"),
    "Codex's image with a path": (
        'What is this?\n<image name=[Image #1] path="/tmp/{date} [2].png">\n</image>',
        "What is this?",
    ),
    "Codex's image alone": ('<image name=[Image #1] path="C:\\a.png"></image>', ""),
    "pi's image of a tool": ("Attached image(s) from tool result:", ""),
    "pydantic-ai's image of a tool": ("This is file 1a2b3c:", ""),
    "opencode's image beside a question": (
        'Called the Read tool with the following input: {"filePath":"/tmp/{date}/{a}.png"}\n'
        "Image read successfully\nWhy?",
        "Why?",
    ),
    "opencode's image of a tool": ("Attached media from tool result:", ""),
}


@pytest.mark.parametrize("date", ["2026-11-30", "2026-12-01"])
@pytest.mark.parametrize(("sent", "question"), SENT.values(), ids=SENT)
def test_what_agents_write_is_no_question(sent, question, date) -> None:
    assert own_words(sent.replace("{date}", date)).strip() == question


KEPT = {
    "a name within a sentence": "What does <environment_context> mean?",
    "a block within a sentence": "Why is <environment_context>a</environment_context> here?",
    "a block without an end": "<environment_context>\nWhy?",
    "an end alone": "Why?\n</environment_context>",
    "a block with an end of another": "<environment_context>\nWhy?\n</environment_details>",
    "a context of the user's": "<context>\nA lab report.\n</context>\nWhat is this?",
    "attachments of the user's": "<attachments>\nTwo.\n</attachments>\nWhat is this?",
    "blocks with other names": "<document>\nA\n</document>\n<instructions>B</instructions>",
    "attributes": '<task id="1">\nWhy?\n</task>',
    "far from the start of its line": " " * 40 + "<environment_context>a</environment_context>",
    "words like those of a title": "Generate a title for this conversation: Tea",
    "a size within a sentence": "Why [Image: original 4x2, displayed at 2x1.]?",
    "a size and words": "[Image: original 4x2, displayed at 2x1.] Why?",
    "an interruption within a sentence": "What is [Request interrupted by user]?",
    "an end of an image alone": "Why?\n</image>",
    "an image of another kind": "<image name=one>\nWhy?\n</image>",
    "a number that is none": "[Image #one] Why?",
    "a file in words": "This is file a of b: why?\nThis is file 1a: why?",
    "a tool's images in words": "Attached image(s) from tool result: why?",
    "a tool's call and words": "Called the Read tool with the following input: {} Why?",
    "an image read, in words": "Image read successfully, why?",
    "a title later on": "Why?\nGenerate a title for this conversation:\nTea",
}


@pytest.mark.parametrize("text", KEPT.values(), ids=KEPT)
def test_the_users_words_stay(text) -> None:
    assert own_words(text) == text


NESTED = {
    "a block within another": (
        "<environment_details>\n<environment_context>a</environment_context>\n"
        "</environment_details>b",
        "b",
    ),
    "one that ends outside the other": (
        "<environment_details>\n<environment_context>\n</environment_details>b"
        "</environment_context>",
        "b</environment_context>",
    ),
    "one within a beginning": (
        "<environment_details>\n<environment_context>a</environment_context>b",
        "<environment_details>\nb",
    ),
    "a reminder within words that are unwrapped": (
        "<task>a<system-reminder>x</system-reminder>b</task>",
        "ab",
    ),
    "a block within words that are unwrapped": (
        "<task><environment_context>x</environment_context>b</task>",
        "b",
    ),
    "capitals": ("<TASK>a</Task>", "a"),
}


@pytest.mark.parametrize(("text", "question"), NESTED.values(), ids=NESTED)
def test_blocks_may_be_within_blocks(text, question) -> None:
    assert own_words(text) == question


@pytest.mark.parametrize("distance", range(0, 45, 4))
def test_a_block_is_found_wherever_it_stands_in_a_long_text(distance) -> None:
    # On both sides of where one search of the text ends and the next begins.
    words = "a" * (2**16 - distance) + "\n"
    block = "<environment_context>b</environment_context>"
    assert own_words(f"{words}{block}c") == f"{words}c"


def test_behind_very_many_tags_all_is_kept() -> None:
    block = "<system-reminder>b</system-reminder>"
    assert own_words("<a>" * 90_000 + block) == "<a>" * 90_000
    assert own_words("<a>" * 100_000 + block) == "<a>" * 100_000 + block


@pytest.mark.parametrize("distance", range(0, 45, 4))
def test_a_line_is_found_wherever_it_stands_in_a_long_text(distance) -> None:
    words = "a" * (2**16 - distance) + "\n"
    assert own_words(f"{words}Attached image(s) from tool result:\nc") == f"{words} \nc"


def test_behind_very_many_numbers_all_is_kept() -> None:
    assert own_words("[Image #1]" * 10_000 + "a[Image #1]").strip() == "a[Image #1]"


def test_names_are_such_as_are_looked_for() -> None:
    assert all(re.fullmatch("[a-z_-]{1,32}", name) for name in RULES)
    assert set(RULES.values()) == set(Rule)


@given(st.text())
def test_a_text_without_blocks_is_the_question(text) -> None:
    assert own_words(text) == text


PIECES = [f"<{end}{name}>" for name in RULES for end in ("", "/")]


@given(st.lists(st.sampled_from([*PIECES, "a", " ", "\n", TITLE, "</userRequest>"])).map("".join))
def test_what_is_left_has_nothing_more_to_leave_out(text) -> None:
    once = own_words(text)
    assert own_words(once) == once
