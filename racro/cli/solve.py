"""`racro solve`: a question about images, answered while one watches."""

import json
import os
import sys
from collections.abc import Iterable
from contextlib import AbstractContextManager, ExitStack
from typing import Annotated, Any, Literal

import typer

from racro.cli.options import GatewayKey, GatewayUrl
from racro.cli.output import command_line, fail, say, spinner
from racro.cli.solve_client import Gateway, SolveError, image_argument, is_url
from racro.contracts.client import DEFAULT_URL, message_of

app = command_line()

CacheMode = Literal["use", "refresh", "bypass"]
CaptionProfile = Literal["description", "screen"]
_Events = Iterable[tuple[str, dict[str, Any]]]


@app.command()
def solve(
    arguments: Annotated[
        list[str],
        typer.Argument(
            metavar="IMAGE… QUESTION",
            help="Images or PDFs, as files or URLs; then a question.",
        ),
    ],
    gateway: GatewayUrl = DEFAULT_URL,
    model: Annotated[str, typer.Option(help="The reasoner's name.")] = "default",
    tentative: Annotated[
        bool, typer.Option(help="Give the reasoner a tentative response, too.")
    ] = True,
    cache_mode: Annotated[
        CacheMode,
        typer.Option("--cache", help="Use stored captions, make and store new ones, or neither."),
    ] = "use",
    caption_profile: Annotated[
        CaptionProfile | None,
        typer.Option(help="Caption by a description, or by the text as it stands."),
    ] = None,
    key: GatewayKey = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the response object and nothing else.")
    ] = False,
) -> None:
    """Answer a question about images, shown as it comes."""
    *images, question = arguments
    try:
        _check(images, question)
        request = {
            "question": question,
            "images": [image_argument(image) for image in images],
            "model": model,
            "tentative": tentative,
            "cache": cache_mode,
        }
        # A gateway of before does not know the field.
        if caption_profile is not None:
            request["caption_profile"] = caption_profile
        show = _print_response if as_json else _print_transcript
        show(Gateway(gateway, key).solve_events(request))
    except SolveError as error:
        fail(error)


def _print_response(events: _Events) -> None:
    *_, (_, response) = events
    sys.stdout.write(json.dumps(response, indent=2, ensure_ascii=False) + "\n")


def _print_transcript(events: _Events) -> None:
    with _Transcript() as transcript:
        for name, data in events:
            transcript.add(name, data)


def _check(images: list[str], question: str) -> None:
    """What was forgotten is seen by what the last argument is. Raises SolveError."""
    if os.path.isfile(question) or is_url(question):  # noqa: PTH113 - a long question is no file, nor an error
        raise SolveError(f"no question: {question} is an image; the question comes after it")
    if not images:
        raise SolveError(f"no image: {question!r} is the question; images come before it")


class _Transcript(AbstractContextManager["_Transcript"]):
    """A solve for people: its parts one after the other, each under a heading.

    Caption and tentative response are made at the same time, so their pieces alternate: the caption
    is printed as it comes, and the tentative response when both are complete.
    """

    def __init__(self) -> None:
        self._heading = ""
        # What comes before the next heading.
        self._gap = ""
        self._waiting = ExitStack()
        self._waiting.enter_context(spinner("captioning"))

    def __exit__(self, *_: object) -> None:
        self._waiting.close()
        say(self._gap[1:], end="")

    def add(self, name: str, data: dict[str, Any]) -> None:
        """Print what an event tells. One that is not known tells nothing."""
        match name:
            case "visual_context.delta" if data.get("part") == "caption":
                self._print("Caption", data.get("text"), style="dim")
            case "visual_context.done":
                self._add_visual_context(data)
            case "reasoning.delta":
                self._print("Reasoning", data.get("text"), style="italic dim")
            case "answer.delta":
                self._print("Answer", data.get("text"))
            case "done":
                self._add_short_answer(str(data.get("answer")), str(data.get("text")))

    def _add_visual_context(self, context: dict[str, Any]) -> None:
        if self._heading != "Caption":  # it was stored, and came whole
            self._print("Caption", context.get("caption"), style="dim")
        if context.get("tentative"):
            self._print("Tentative response", context["tentative"], style="dim")
        if context.get("failed"):
            self._print("Tentative response", message_of(context["failed"]), style="dim")
        say(f"\n\n(caption: {context.get('cache')}, by {context.get('model')})", style="dim")
        self._gap = "\n"
        self._waiting.enter_context(spinner("reasoning"))

    def _add_short_answer(self, answer: str, text: str) -> None:
        # The embedded reasoner ends its text with this very line.
        if not text.rstrip().endswith(f"Answer: {answer}"):
            self._print("Answer:", f" {answer}")

    def _print(self, heading: str, text: object, *, style: str | None = None) -> None:
        if heading != self._heading:
            self._waiting.close()
            say(self._gap, end="")
            say(heading, style="bold", end="" if heading.endswith(":") else "\n")
            self._heading, self._gap = heading, "\n\n"
        say(text or "", style=style, end="")
