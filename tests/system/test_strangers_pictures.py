"""Whatever a phone, scanner, browser or agent sends: it is seen, or refused by name.

Files of all formats that people have (support/stranger_files) go through a real gateway and a real
captioner by every entry; a scripted engine keeps what it is shown. Each costs a second of CPU at
most, and no process more than 256 MiB.
"""

from collections.abc import Iterator
from itertools import product

import pytest

from support import http
from support.chat_places import PLACES
from support.file_costs import FileCosts
from support.picture_stack import CAPTION, ENTRIES, Outcome, PictureStack, solve_by_command
from support.stranger_files import FILES
from support.stranger_files.entries import cases
from support.stranger_files.expectations import (
    NAMED_REFUSALS,
    Expected,
    Refused,
    Seen,
    SeenOrRefused,
    StrangerFile,
)
from support.stranger_files.png_kinds import png
from support.stranger_files.table import DOCUMENT, ROWS, written

_MOST_CPU_S, _MOST_MIB = 1, 256
_CASES = cases(list(ENTRIES))
_IN_TABLE = [name for names in ROWS.values() for name in names if name in FILES]


@pytest.fixture(scope="module")
def stack() -> Iterator[PictureStack]:
    with PictureStack() as opened:
        yield opened


@pytest.fixture(scope="module")
def costs(stack: PictureStack) -> FileCosts:
    """Costs beyond those of services that are idle, and have seen a picture before."""
    for entry in ENTRIES:
        assert stack.send_bytes(png(), "image/png", entry).status == 200
    return FileCosts(stack.gateway.pid, stack.captioner.pid)


def faults(expected: Expected, outcome: Outcome) -> Iterator[str]:
    """Yield what is wrong with what became of a file."""
    if b"base64" in outcome.reasoned:
        yield "the reasoner got a file"
    if outcome.status != 200:
        yield from _wrong_refusal(expected, outcome)
    elif outcome.code:
        yield f"the stream ended in an error: {outcome.code}"
    elif isinstance(expected, Seen):
        yield from expected.faults(outcome.shown)
    elif isinstance(expected, Refused):
        yield f"seen, and not refused with {expected.status}"
    elif not outcome.shown:
        yield "nothing was shown, and nothing said"


def _wrong_refusal(expected: Expected, outcome: Outcome) -> Iterator[str]:
    told = f"{outcome.status} {outcome.code}: {outcome.message}"
    found = (outcome.status, outcome.code)
    if outcome.param != outcome.expected_param:
        yield f"the error names {outcome.param}"
    if outcome.shown:
        yield "what was refused was shown to the engine"
    match expected:
        case Seen():
            yield f"refused: {told}"
        case Refused(status, code) if found != (status, code):
            yield f"expected was {status} {code}: {told}"
        case Refused(_, _, says) if says not in outcome.message:
            yield f"{says!r} is not in {outcome.message!r}"
        case SeenOrRefused() if found not in NAMED_REFUSALS:
            yield f"no refusal by name: {told}"


@pytest.mark.parametrize(
    ("file", "entry"), _CASES, ids=[f"{file.name} {entry}" for file, entry in _CASES]
)
def test_it_is_seen_or_refused_by_name(
    stack: PictureStack, costs: FileCosts, file: StrangerFile, entry: str
) -> None:
    data = file.make()
    costs.begin()
    outcome = stack.send_bytes(data, file.media_type, entry)
    cost = costs.cost()
    found = list(faults(file.expected, outcome))
    assert stack.captioner.process.poll() is None, stack.captioner.log()
    assert stack.gateway.process.poll() is None, stack.gateway.log()
    if cost.cpu_s > _MOST_CPU_S or cost.mib > _MOST_MIB:
        found.append(f"it took {cost.cpu_s:.2f} s of CPU and {cost.mib:.0f} MiB")
    assert found == []


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", ["png/plain", "avif/plain", "tiff/tiles", "pdf/one-page"])
def test_it_is_seen_wherever_it_stands_in_a_chat(
    stack: PictureStack, name: str, place: str
) -> None:
    file = FILES[name]
    outcome = stack.send_chat(PLACES[place](file.make(), file.media_type))
    assert list(faults(file.expected, outcome)) == []
    assert CAPTION.encode() in outcome.reasoned


@pytest.mark.parametrize("name", _IN_TABLE)
def test_the_command_line_sees_it_too_or_says_why_not(stack: PictureStack, name: str) -> None:
    file = FILES[name]
    status, printed = solve_by_command(stack, file.make())
    if isinstance(file.expected, Refused):
        assert status == 1
        # Lines are broken at any space.
        assert " ".join(file.expected.says.split()) in " ".join(printed.split())
        assert stack.engine.chats == []
    else:
        assert status == 0, printed
        assert CAPTION in printed
        assert stack.engine.chats


def test_the_pages_of_a_pdf_are_numbered(stack: PictureStack) -> None:
    outcome = stack.send(FILES["pdf/12-pages"], "data URL")
    told = [f"Page {number}:" in outcome.texts for number in range(1, 10)]
    assert told == [True] * 8 + [False]


def test_the_services_serve_on(stack: PictureStack) -> None:
    for service in (stack.gateway, stack.captioner):
        assert http.get(f"{service.url}/readyz").status_code == 200
    assert stack.send_bytes(png(), "image/png", "data URL").status == 200


def test_there_are_400_files_of_20_formats_and_oddities() -> None:
    assert len(FILES) >= 400
    families = {file.family for file in FILES.values()}
    assert len(families) >= 20
    assert {(file.family, entry) for file, entry in _CASES} == set(product(families, ENTRIES))


def test_the_table_in_the_docs_is_what_the_suite_proves() -> None:
    document = DOCUMENT.read_text()
    assert written(document) == document
