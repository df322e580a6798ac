"""PDFs through the real captioner service: page by page, of either kind, in both contracts."""

import base64
import io
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from PIL import Image

from support import http
from support.pdfs import A4, document, line_of_text, locked, stream, text_document
from support.pictures import data_url, png
from support.processes import Service
from support.scripted import ScriptedServer, read_events

CONTRACT_2 = {"x-racro-contract": "2"}
CAPTION = "A page with a word."
WORDS = ("Anton 11", "Berta 22", "Caesar 33")
MAX_PAGES = 3


def pdf_url(data: bytes) -> str:
    return data_url(data, "application/pdf")


@pytest.fixture(scope="module")
def _vlm_captioner(_scripted_reasoner: ScriptedServer) -> Iterator[Service]:
    engine = {"url": f"{_scripted_reasoner.url}/v1", "model": "scripted"}
    config = {"captioner": {"kind": "vlm", "engine": engine}, "max_pages": MAX_PAGES}
    with Service("services.captioner", config) as service:
        yield service


@pytest.fixture
def vlm(_vlm_captioner: Service, reasoner: ScriptedServer) -> Service:
    """Shows images to the scripted reasoner, as a vision engine."""
    reasoner.script.texts = [CAPTION]
    return _vlm_captioner


@pytest.fixture(scope="module")
def _ocr_captioner() -> Iterator[Service]:
    with Service("services.captioner", {"max_pages": MAX_PAGES}) as service:
        yield service


@pytest.fixture
def ocr(_ocr_captioner: Service) -> Service:
    return _ocr_captioner


@pytest.fixture(params=["ocr", "vlm"])
def captioner_service(request: pytest.FixtureRequest) -> Service:
    return request.getfixturevalue(request.param)


def post(
    service: Service, *images: str, headers: dict[str, str] = CONTRACT_2, **more: Any
) -> httpx2.Response:
    body = {"question": "Which word is on it?", "images": images, **more}
    return http.post(f"{service.url}/v1/perceive", json=body, headers=headers)


def perceive(service: Service, *images: str, **more: Any) -> dict[str, Any]:
    response = post(service, *images, **more)
    assert response.status_code == 200, response.text
    return response.json()


def caption(service: Service, *images: str, **more: Any) -> str:
    [found] = perceive(service, *images, **more)["caption"]
    return found["text"]


def shown(reasoner: ScriptedServer) -> list[str | tuple[int, int]]:
    """What the engine was shown with its last question: texts, and the sizes of images."""
    found: list[str | tuple[int, int]] = []
    for part in reasoner.chats[-1].json["messages"][-1]["content"][:-1]:
        if part["type"] == "text":
            found.append(part["text"])
        else:
            picture = base64.b64decode(part["image_url"]["url"].partition(",")[2])
            found.append(Image.open(io.BytesIO(picture)).size)
    return found


class TestEveryCaptioner:
    def test_the_option_is_announced(self, captioner_service: Service) -> None:
        url = f"{captioner_service.url}/v1/identity"
        assert "max_pages" in http.get(url, headers=CONTRACT_2).json()["options"]
        assert "options" not in http.get(url).json()

    @pytest.mark.parametrize("stream", [False, True])
    def test_pages_are_told_in_contract_2_alone(
        self, captioner_service: Service, stream: bool
    ) -> None:
        def answer(headers: dict[str, str]) -> dict[str, Any]:
            response = post(
                captioner_service, pdf_url(text_document(*WORDS)), headers=headers, stream=stream
            )
            return read_events(response.text)[-1][1] if stream else response.json()

        told = answer(CONTRACT_2)
        assert told.pop("pages") == 3
        assert answer({}) == told

    def test_pages_of_all_pdfs_are_counted(self, captioner_service: Service) -> None:
        one, two = (pdf_url(text_document(*WORDS[:count])) for count in (1, 2))
        assert perceive(captioner_service, one, data_url(png()), two)["pages"] == 3
        assert perceive(captioner_service, data_url(png()))["pages"] == 0

    @pytest.mark.parametrize("stream", [False, True])
    def test_what_is_streamed_is_the_caption(
        self, captioner_service: Service, stream: bool
    ) -> None:
        data = pdf_url(text_document(*WORDS))
        response = post(captioner_service, data, options={"max_pages": 1}, stream=True)
        *deltas, (_, done) = read_events(response.text)
        [told] = done["caption"]
        assert "".join(delta["text"] for _, delta in deltas) == told["text"]
        assert told["text"].endswith("\n\n(Pages 2 to 3 are not shown.)")

    def test_more_pages_than_there_may_be_are_refused(self, captioner_service: Service) -> None:
        response = post(
            captioner_service, pdf_url(text_document("42")), options={"max_pages": MAX_PAGES + 1}
        )
        assert response.status_code == 400
        error = response.json()["error"]
        assert (error["code"], error["param"]) == ("invalid_request", "options.max_pages")
        assert error["message"] == "options.max_pages = 4; max_pages = 3"

    @pytest.mark.parametrize("stream", [False, True])
    @pytest.mark.parametrize(
        ("data", "says"),
        [
            (locked(), "the PDF needs a password"),
            (text_document("42")[:300], "the PDF cannot be read: it is truncated or damaged"),
            (
                document([b"<<>>"], size=(1, 500)),
                "page 1 of the PDF has 1x500 points, too thin; max_image_aspect = 200",
            ),
        ],
        ids=["locked", "damaged", "thin"],
    )
    def test_what_is_not_shown_is_refused(
        self,
        captioner_service: Service,
        reasoner: ScriptedServer,
        data: bytes,
        says: str,
        stream: bool,
    ) -> None:
        response = post(captioner_service, data_url(png()), pdf_url(data), stream=stream)
        assert response.status_code == 400
        error = response.json()["error"]
        assert (error["code"], error["param"]) == ("invalid_image", "images[1]")
        assert error["message"] == says
        assert reasoner.chats == []


def with_thin_pages(*numbers: int) -> bytes:
    """A page for each word, of which those are too thin to be seen."""
    box = b"/MediaBox[0 0 595"
    before, *pages = text_document(*WORDS).split(box)
    boxes = (b"/MediaBox[0 0 001" if at in numbers else box for at in (1, 2, 3))
    return before + b"".join(part for pair in zip(boxes, pages, strict=True) for part in pair)


class TestOcr:
    def test_a_page_that_cannot_be_read_is_named_in_its_place(self, ocr: Service) -> None:
        one, line, three = caption(ocr, pdf_url(with_thin_pages(2))).split("\n\n")
        assert one.endswith("Anton 11")
        assert line == "(Page 2 cannot be read.)"
        assert three.startswith("Page 3:")

    def test_each_page_is_read(self, ocr: Service) -> None:
        text = caption(ocr, pdf_url(text_document(*WORDS)))
        for number, (page, word) in enumerate(zip(text.split("\n\n"), WORDS, strict=True), start=1):
            assert page.startswith(f"Page {number}:\n")
            assert page.endswith(word)

    def test_a_single_page_is_numbered(self, ocr: Service) -> None:
        assert caption(ocr, pdf_url(text_document("Anton 11"))).startswith("Page 1:\n")

    def test_pages_that_are_not_shown_are_named(self, ocr: Service) -> None:
        words = (*WORDS, "Dora 44")
        text = caption(ocr, pdf_url(text_document(*words)))
        assert text.endswith("Caesar 33\n\n(Page 4 is not shown.)")
        text = caption(ocr, pdf_url(text_document(*words)), options={"max_pages": 2})
        assert text.endswith("Berta 22\n\n(Pages 3 to 4 are not shown.)")

    def test_among_pictures(self, ocr: Service) -> None:
        data = pdf_url(text_document(*WORDS))
        text = caption(ocr, data_url(png("42")), data, options={"max_pages": 1})
        first, second = text.split("\n\nImage 2:\n")
        assert first.startswith("Image 1:\n")
        assert first.endswith("42")
        assert second.startswith("Page 1:\n")
        assert second.endswith("Anton 11\n\n(Pages 2 to 3 of image 2 are not shown.)")

    def test_an_empty_page(self, ocr: Service) -> None:
        text = caption(ocr, pdf_url(document([stream(b"")])))
        assert text == "Page 1:\nNo readable text was found in the image."

    def test_each_page_has_its_share_of_the_caption(self, ocr: Service) -> None:
        lines = [
            b"".join(
                line_of_text(f"{name} tells line {number} of it", at=(72, 700 - 30 * number))
                for number in range(10)
            )
            for name in ("Anton", "Berta")
        ]
        data = pdf_url(document(map(stream, lines)))
        [cut] = perceive(ocr, data, options={"max_tokens": 50})["caption"]
        assert cut["finish_reason"] == "length"
        assert len(cut["text"]) < 300
        assert "Anton tells line 0" in cut["text"]
        assert "Berta tells line 0" in cut["text"]


class TestVlm:
    # At 200 dots an inch, of A4.
    SIZE = (1652, 2338)

    def test_each_page_is_shown(self, vlm: Service, reasoner: ScriptedServer) -> None:
        assert caption(vlm, pdf_url(text_document(*WORDS))) == CAPTION
        first, second, third = ((f"Page {number}:", self.SIZE) for number in (1, 2, 3))
        assert shown(reasoner) == [*first, *second, *third]

    def test_pages_that_are_not_shown_are_named(
        self, vlm: Service, reasoner: ScriptedServer
    ) -> None:
        """To the engine, and behind its caption to who reads no more than that."""
        data = pdf_url(text_document(*WORDS))
        line = "(Pages 2 to 3 are not shown.)"
        answer = perceive(vlm, data, options={"max_pages": 1}, parts=["caption", "tentative"])
        assert answer["caption"][0]["text"] == f"{CAPTION}\n\n{line}"
        assert answer["tentative"][0]["text"] == CAPTION
        assert shown(reasoner) == ["Page 1:", self.SIZE, line]

    def test_among_pictures(self, vlm: Service, reasoner: ScriptedServer) -> None:
        data = pdf_url(text_document(*WORDS))
        caption(vlm, data, data_url(png()), options={"max_pages": 2})
        assert shown(reasoner) == [
            *("Image 1:", "Page 1:", self.SIZE, "Page 2:", self.SIZE),
            "(Page 3 of image 1 is not shown.)",
            *("Image 2:", (320, 120)),
        ]

    @pytest.mark.parametrize(
        ("thin", "expected"),
        [
            ((2,), ["Page 1:", SIZE, "(Page 2 cannot be read.)", "Page 3:", SIZE]),
            ((1,), ["Page 2:", SIZE, "(Page 1 cannot be read.)", "Page 3:", SIZE]),
            ((2, 3), ["Page 1:", SIZE, "(Page 2 cannot be read.)", "(Page 3 cannot be read.)"]),
        ],
    )
    def test_pages_that_cannot_be_read_are_named(
        self, vlm: Service, reasoner: ScriptedServer, thin, expected
    ) -> None:
        assert "cannot be read.)" in caption(vlm, pdf_url(with_thin_pages(*thin)))
        assert shown(reasoner) == expected

    def test_every_page_counts_as_sent(self, reasoner: ScriptedServer) -> None:
        engine = {"url": f"{reasoner.url}/v1", "model": "scripted"}
        settings = {"kind": "vlm", "engine": engine, "max_sent_bytes": 2**20}
        noise = Image.effect_noise((900, 900), 100)
        pages = io.BytesIO()
        noise.save(pages, "PDF", save_all=True, append_images=[noise], quality=95)
        with Service("services.captioner", {"captioner": settings}) as service:
            assert post(service, pdf_url(pages.getvalue())).status_code == 413


def test_the_size_is_that_of_the_paper() -> None:
    assert tuple(int(side * 200 / 72) for side in A4) == TestVlm.SIZE
