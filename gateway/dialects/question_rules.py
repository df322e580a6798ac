"""Rules for what agents write round the user's words, which is no part of the question.

They shape the question that the captioner is asked, and with it the key of the cache. The reasoner
gets the words as they came.
"""

import re
from collections.abc import Iterator, Mapping
from enum import Enum, auto
from itertools import islice
from types import MappingProxyType

from gateway.dialects.image_lines import without_image_lines


class Rule(Enum):
    """What becomes of a block, from its opening tag to the first closing one."""

    # Left out wherever it stands.
    ANYWHERE = auto()
    # Left out where a line begins with it: within a sentence the user may be quoting it.
    OWN_LINE = auto()
    # So, beside Copilot's `<userRequest>` alone: the name is one that users give blocks too.
    BESIDE_REQUEST = auto()
    # The user's words are within it, where a line begins with it: the tags are left out.
    UNWRAPPED = auto()


# By name, in lower case. Left out is only what programs write and what changes (dates, folders,
# open files, outputs of commands), or the same picture would have another key every day.
RULES: Mapping[str, Rule] = MappingProxyType(
    {
        # Claude Code and sst/opencode; the date, files that changed, the list of tasks.
        "system-reminder": Rule.ANYWHERE,
        # Claude Code, as its sessions on disk are read in several public repositories.
        "local-command-stdout": Rule.OWN_LINE,
        "local-command-stderr": Rule.OWN_LINE,
        "local-command-caveat": Rule.OWN_LINE,
        "bash-stdout": Rule.OWN_LINE,
        "bash-stderr": Rule.OWN_LINE,
        "task-notification": Rule.OWN_LINE,
        "user-prompt-submit-hook": Rule.OWN_LINE,
        "ide_opened_file": Rule.OWN_LINE,
        "ide_selection": Rule.OWN_LINE,
        # openai/codex, codex-rs/protocol/src/protocol.rs and core's session prefixes.
        "environment_context": Rule.OWN_LINE,
        "user_instructions": Rule.OWN_LINE,
        "turn_aborted": Rule.OWN_LINE,
        "subagent_notification": Rule.OWN_LINE,
        # cline/cline and RooVetGit/Roo-Code; the time, visible files, open tabs.
        "environment_details": Rule.OWN_LINE,
        "task": Rule.UNWRAPPED,
        "user_message": Rule.UNWRAPPED,
        # microsoft/vscode-copilot-chat, src/extension/prompts/node/agent; `context` has the date.
        "environment_info": Rule.OWN_LINE,
        "workspace_info": Rule.OWN_LINE,
        "reminderinstructions": Rule.OWN_LINE,
        "attachments": Rule.BESIDE_REQUEST,
        "context": Rule.BESIDE_REQUEST,
        "editorcontext": Rule.BESIDE_REQUEST,
        "userrequest": Rule.UNWRAPPED,
        # block/goose, moim.rs; the time and the folder.
        "info-msg": Rule.OWN_LINE,
        # CodeBuddy; the time, and which services are connected.
        "additional_data": Rule.OWN_LINE,
        "user_query": Rule.UNWRAPPED,
    }
)
# sst/opencode asks for a title with this before the user's message, as a message or a part of it.
_TITLE_LINE = re.compile(r"\s{0,64}Generate a title for this conversation:[ \t]{0,64}(?:\n|\Z)")
_REQUEST_ENDS = "</userRequest>"

_LONGEST_NAME = 32
_TAG = re.compile(rf"<(?P<ends>/?)(?P<name>[A-Za-z_-]{{1,{_LONGEST_NAME}}})>")
_LONGEST_TAG = _LONGEST_NAME + len("</>")
# So much space may stand before a tag that a line begins with.
_LONGEST_INDENT = 16
# Characters that take a few milliseconds.
_SEARCHED = 64 * 2**10
# Tags of any name; what stands behind so many is kept.
_MOST_TAGS = 100_000


def own_words(text: str) -> str:
    """Return the user's own words of a text; a block without an end is none.

    A pattern for whole blocks would take time quadratic in the number of tags that begin one.
    """
    return without_image_lines(_without_title_lines(_without_blocks(text)))


def _without_title_lines(text: str) -> str:
    start = 0
    while line := _TITLE_LINE.match(text, start):
        start = line.end()
    return text[start:]


def _without_blocks(text: str) -> str:
    kept, outside_from = [], 0
    for start, end in sorted(_cuts(text)):
        if start > outside_from:
            kept.append(text[outside_from:start])
        outside_from = max(outside_from, end)
    return "".join([*kept, text[outside_from:]])


def _cuts(text: str) -> Iterator[tuple[int, int]]:
    """Yield what is to be left out; of two stretches one may lie within the other."""
    has_request = _REQUEST_ENDS in text
    open_tags: dict[str, re.Match[str]] = {}
    after_tag = 0
    for tag in islice(_tags(text), _MOST_TAGS):
        name = tag["name"].lower()
        rule = RULES.get(name)
        if rule is None or (rule is Rule.BESIDE_REQUEST and not has_request):
            continue
        if not tag["ends"]:
            if rule is not Rule.ANYWHERE and not _begins_line(text, after_tag, tag.start()):
                continue
            open_tags.setdefault(name, tag)
        elif (opening := open_tags.pop(name, None)) is None:
            continue
        elif rule is Rule.UNWRAPPED:
            yield opening.span()
            yield tag.span()
        else:
            yield opening.start(), tag.end()
            # Those that were opened within it went with it.
            open_tags = {
                name: other for name, other in open_tags.items() if other.start() < opening.start()
            }
        after_tag = tag.end()


def _begins_line(text: str, after_tag: int, start: int) -> bool:
    """Whether nothing but space stands between a tag and the start of its line or another tag."""
    tail_from = max(after_tag, start - _LONGEST_INDENT)
    before = text[tail_from:start].rstrip(" \t")
    return before.endswith("\n") or (not before and tail_from == after_tag)


def _tags(text: str) -> Iterator[re.Match[str]]:
    """Yield the tags of a text, those without a rule too."""
    start = 0
    while start < len(text):
        # No other thread runs while a pattern is searched for.
        tag = _TAG.search(text, start, start + _SEARCHED)
        if tag is not None:
            yield tag
            start = tag.end()
        else:
            start += _SEARCHED - _LONGEST_TAG
