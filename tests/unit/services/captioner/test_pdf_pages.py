"""Pages of PDFs: upright, on white, at the size that is wanted; or refused by name."""

import zlib
from collections.abc import Callable

import pypdfium2
import pytest
from PIL import Image, ImageChops

from racro.contracts.errors import InvalidImage
from racro.contracts.image_limits import PAGE_PIXELS
from services.captioner.image_size import LongestSide, PixelBounds
from services.captioner.pdf_pages import Pages, pages_of, render_page
from services.captioner.pdf_portfolio import is_portfolio
from services.captioner.settings import CaptionerSettings
from support.pdfs import (
    A4,
    deflated,
    document,
    form,
    locked,
    pdf,
    read_only,
    stream,
    text_document,
)
from support.pictures import encoded

# A square of one inch in the lower left corner of a page.
CORNER = stream(b"0 0 72 72 re f")
BLACK, WHITE = (0, 0, 0), (255, 255, 255)
NOTHING = b"<<>>"


def render(data: bytes, number: int = 1, *, fit=None, **limits) -> Image.Image:
    more = {} if fit is None else {"fit": fit}
    return render_page(
        data, number, param="images[1]", limits=CaptionerSettings(**limits).image_limits, **more
    )


def pages(data: bytes, most: int = 8) -> Pages:
    return pages_of(data, most, param="images[1]", limits=CaptionerSettings().image_limits)


def ink(image: Image.Image) -> tuple[int, int, int, int] | None:
    """Where it is not white: left, top, right and bottom, in pixels."""
    return ImageChops.invert(image).getbbox()


class TestAPage:
    def test_it_has_200_dots_an_inch(self) -> None:
        page = render(document([CORNER]))
        assert (page.mode, page.size) == ("RGB", (1652, 2338))
        assert ink(page) == pytest.approx((0, 2138, 200, 2338), abs=1)
        assert page.getpixel((10, 2330)) == BLACK
        assert page.getpixel((800, 800)) == WHITE

    @pytest.mark.parametrize(
        "fit",
        [
            LongestSide(500),
            PixelBounds(min_pixels=3136, max_pixels=100_000, side_multiple=28),
            PixelBounds(min_pixels=8_000_000, max_pixels=16_000_000, side_multiple=32),
        ],
    )
    def test_it_is_rendered_at_the_size_that_is_wanted(self, fit) -> None:
        wanted = fit((1652, 2338))
        page = render(document([CORNER]), fit=fit)
        assert page.size == wanted
        inch = wanted[0] * 72 / A4[0]
        assert ink(page) == pytest.approx((0, wanted[1] - inch, inch, wanted[1]), rel=0.02, abs=2)

    @pytest.mark.parametrize(
        ("turn", "corner"),
        [(0, (0, 1)), (90, (0, 0)), (180, (1, 0)), (270, (1, 1)), (-90, (1, 1))],
    )
    def test_it_is_upright(self, turn: int, corner: tuple[int, int]) -> None:
        page = render(document([CORNER], page=b"/Rotate %d" % turn))
        assert (page.width > page.height) == (turn % 180 != 0)
        inside = tuple(
            side - 10 if end else 10 for side, end in zip(page.size, corner, strict=True)
        )
        assert page.getpixel(inside) == BLACK

    def test_it_is_cropped(self) -> None:
        page = render(document([CORNER], page=b"/CropBox[36 36 180 108]"))
        assert page.size == (400, 200)
        assert ink(page) == pytest.approx((0, 100, 100, 200), abs=1)

    def test_each_is_rendered(self) -> None:
        colors = [Image.new("RGB", (100, 100), color) for color in ("red", "lime", "blue")]
        data = encoded(colors[0], "PDF", save_all=True, append_images=colors[1:])
        assert pages(data, most=2) == (3, (1, 2))
        found = [render(data, number).getpixel((50, 50)) for number in (1, 2, 3)]
        assert [color.index(max(color)) for color in found] == [0, 1, 2]

    def test_an_empty_one_is_white(self) -> None:
        assert ink(render(document([stream(b"")]))) is None

    def test_filled_in_fields_are_drawn(self) -> None:
        empty, filled = render(form("")), render(form("WWWWWW"))
        drawn = ImageChops.difference(empty, filled).getbbox()
        assert drawn is not None
        assert drawn[1] > 300
        assert drawn[2] - drawn[0] > 200

    def test_annotations_are_drawn(self) -> None:
        note = (
            b"<</Type/Annot/Subtype/Square/Rect[100 100 200 200]/C[1 0 0]/F 4/AP<</N 6 0 R>>>>",
            stream(b"1 0 0 rg 0 0 100 100 re f", b"/Type/XObject/Subtype/Form/BBox[0 0 100 100]"),
        )
        page = render(
            document([stream(b"")], objects=note, page=b"/Annots[5 0 R]", size=(300, 300))
        )
        assert page.getpixel((417, 417)) == (255, 0, 0)

    def test_one_that_everyone_may_read_is_read(self) -> None:
        plain, encrypted = text_document("Figure 42"), read_only("Figure 42")
        assert ink(render(encrypted)) is not None
        assert ImageChops.difference(render(plain), render(encrypted)).getbbox() is None


class TestLimits:
    @pytest.mark.parametrize("side", [14_400, 1_000_000])
    def test_a_large_page_has_so_many_pixels(self, side: int) -> None:
        page = render(document([CORNER], size=(side, side)))
        assert page.size == (2000, 2000)
        assert page.width * page.height == PAGE_PIXELS

    def test_a_long_page_has_so_long_a_side(self) -> None:
        long = document([CORNER], size=(100, 14_400))
        assert render(long, max_image_side=8000).size == (55, 8000)

    def test_a_page_has_no_more_pixels_than_an_image(self) -> None:
        assert render(document([CORNER], size=(800, 800)), max_image_pixels=10_000).size == (
            100,
            100,
        )

    def test_a_thin_page_is_named(self) -> None:
        with pytest.raises(InvalidImage) as refusal:
            render(document([CORNER, CORNER], size=(10, 2001)), 2)
        assert refusal.value.param == "images[1]"
        assert refusal.value.message == (
            "page 2 of the PDF has 10x2001 points, too thin; max_image_aspect = 200"
        )

    def test_a_page_without_size_is_letter_paper(self) -> None:
        assert render(document([CORNER], size=(0, 0))).size == (1700, 2200)


DAMAGED = "the PDF cannot be read: it is truncated or damaged"
WITHOUT_PAGES = "the PDF has no pages"


def of_tree(*tree: bytes) -> bytes:
    return pdf([b"<</Type/Catalog/Pages 2 0 R>>", *tree])


class TestRefusals:
    @pytest.mark.parametrize(
        ("make", "says"),
        [
            (lambda: b"%PDF-1.7\n", DAMAGED),
            (lambda: b"%PDF-1.7\n" + bytes(1000), DAMAGED),
            (lambda: text_document("42")[:400], DAMAGED),
            (lambda: pdf([NOTHING]), WITHOUT_PAGES),
            (lambda: of_tree(b"<</Type/Pages/Kids[]/Count 0>>"), WITHOUT_PAGES),
            (lambda: of_tree(b"<</Type/Pages/Kids[]/Count 2000000000>>"), WITHOUT_PAGES),
            (lambda: of_tree(b"<</Type/Pages/Kids[]/Count -1>>"), WITHOUT_PAGES),
            (locked, "the PDF needs a password"),
            (
                lambda: locked(handler=b"Other"),
                "the PDF is encrypted by a scheme that is not supported",
            ),
        ],
    )
    @pytest.mark.parametrize("read", [pages, render])
    def test_a_document(self, read, make: Callable[[], bytes], says: str) -> None:
        with pytest.raises(InvalidImage) as refusal:
            read(make())
        assert (refusal.value.param, refusal.value.message) == ("images[1]", says)

    @pytest.mark.parametrize(
        "tree",
        [
            [b"<</Type/Pages/Kids[3 0 R]/Count 900000>>", b"<</Type/Page/Parent 2 0 R>>"],
            [b"<</Type/Pages/Kids[2 0 R 2 0 R]/Count 9>>"],
            [b"<</Type/Pages/Kids[3 0 R]/Count 9>>", b"<</Type/Pages/Kids[2 0 R]/Count 9>>"],
        ],
        ids=["missing", "its own child", "a circle"],
    )
    def test_a_page_that_is_not_there(self, tree: list[bytes]) -> None:
        data = of_tree(*tree)
        with pytest.raises(InvalidImage) as refusal:
            render(data, 2)
        assert refusal.value.message == (
            "page 2 of the PDF cannot be read: it is truncated or damaged"
        )


def thin_among(*sizes: tuple[int, int]) -> bytes:
    """Pages of those sizes."""
    tree = b"<</Type/Pages/Kids[%s]/Count %d>>" % (
        b" ".join(b"%d 0 R" % (3 + at) for at in range(len(sizes))),
        len(sizes),
    )
    kids = (b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 %d %d]>>" % size for size in sizes)
    return of_tree(tree, *kids)


class TestPagesThatCannotBeRead:
    def test_the_others_are_shown(self) -> None:
        assert pages(thin_among((99, 99), (1, 999), (99, 99))) == (3, (1, 3))

    def test_where_none_can_be_read_the_first_is_named(self) -> None:
        with pytest.raises(InvalidImage, match="page 1 of the PDF has 1x999 points, too thin"):
            pages(thin_among((1, 999), (2, 999)))

    def test_a_crop_box_outside_of_the_page_crops_nothing(self) -> None:
        data = document([CORNER], page=b"/CropBox[900 900 999 999]")
        assert pages(data) == (1, (1,))
        assert ink(render(data)) == ink(render(document([CORNER])))


@pytest.mark.parametrize(
    ("catalogue", "says"),
    [
        (b"/Collection<</View/D>>", "portfolio"),
        (b"/Collection 3 0 R", "portfolio"),
        (b"/NeedsRendering true/AcroForm<</Fields[]/XFA(<xdp/>)>>", "XFA"),
    ],
)
def test_a_document_for_another_reader_is_named(catalogue: bytes, says: str) -> None:
    with pytest.raises(InvalidImage, match=says):
        pages(document([CORNER], catalogue=catalogue))


@pytest.mark.parametrize(("attachments", "expected"), [(1, True), (0, False)])
def test_a_portfolio_is_told_by_a_packed_catalogue(attachments: int, expected: bool) -> None:
    objects = zlib.compress(b"1 0 <</Type/Catalog/Collection 4 0 R>>")
    data = b"%PDF-1.7\n2 0 obj\n<</Type/ObjStm/Filter/FlateDecode>>\nstream\r\n" + objects
    assert is_portfolio(data, attachments=attachments) is expected


def test_the_renderer_runs_no_scripts() -> None:
    assert not {"V8", "XFA"} & set(pypdfium2.PDFIUM_INFO.flags)


def test_an_odd_document_writes_nothing_into_the_log(capfd: pytest.CaptureFixture[str]) -> None:
    xfa = b"/AcroForm<</Fields[]/XFA 5 0 R>>"
    render(document([CORNER], catalogue=xfa, objects=[deflated(b"<xdp/>")]))
    assert capfd.readouterr() == ("", "")
