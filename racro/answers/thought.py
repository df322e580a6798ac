"""What a model thought aloud, apart from what it says."""

import re

# `<think>` of DeepSeek-R1 and Qwen3, `[THINK]` of Magistral, `<thought>` of Gemini's OpenAI API,
# `◁think▷` of Kimi, `<seed:think>` of Seed-OSS, `<|begin_of_thought|>` of OpenThinker; and the
# channels of gpt-oss (harmony), with their tokens or, where a server leaves those out, with the
# names that stood between them.
_TAG = "(?:think|thinking|thought|reasoning|seed:think)"
_BEGIN = (
    rf"(?i:<{_TAG}\s?>)|\[THINK\]|◁think▷|<\|begin_of_thought\|>"
    r"|(?:<\|start\|>assistant)?<\|channel\|>analysis<\|message\|>"
)
_END = re.compile(
    rf"(?i:</{_TAG}\s?>)|\[/THINK\]|◁/think▷|<\|end_of_thought\|>"
    r"|(?:<\|end\|>)?(?:<\|start\|>assistant)?<\|channel\|>final"
    r"(?: <\|constrain\|>\w{1,20})?<\|message\|>"
    r"|assistantfinal(?=[^a-z])"
)
_BEGINNING = re.compile(rf"{_BEGIN}|\Aanalysis(?=[A-Z])")
# A picture may show "analysisThe": without an end, these words begin what gpt-oss thinks.
_BEGIN_WITHOUT_END = r"\Aanalysis(?=(?:We|The user|User|Need|Let['’]s|I)\b)"
# In the middle of a line, or of a sentence that goes over lines, a tag is spoken about.
_OPENED = re.compile(
    rf"^(?<![a-z]{{3}}\n)[ \t]{{0,80}}(?:{_BEGIN}|{_BEGIN_WITHOUT_END})", re.MULTILINE
)


def split_reasoning(text: str) -> tuple[str | None, str]:
    """Return (reasoning, visible text) of a model that thinks aloud between `<think>` tags.

    Some chat templates open the tag in the prompt, so only its end is certain to appear. Where it
    is opened and not closed, the text was cut while the model thought: what follows is reasoning.
    """
    reasoning, visible = None, text
    ends = list(_END.finditer(text))
    if ends:
        reasoning = _BEGINNING.sub("", text[: ends[-1].start()], count=1).strip()
        visible = text[ends[-1].end() :].strip()
    opened = _OPENED.search(visible)
    if opened is None:
        return reasoning, visible
    unfinished = visible[opened.end() :].strip()
    return "\n".join(filter(None, (reasoning, unfinished))), visible[: opened.start()].strip()
