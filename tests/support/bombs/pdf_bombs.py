"""PDFs that claim, unpack to or draw much more than they have bytes."""

from support.bombs.png_files import deflated_zeros
from support.pdfs import deflated, document, pdf, stream

_CATALOGUE = b"<</Type/Catalog/Pages 2 0 R>>"
_FORM = b"/Type/XObject/Subtype/Form/BBox[0 0 500 500]/Resources<</XObject<</X %d 0 R>>>>"


def claiming_pages(count: int) -> bytes:
    """One page, and the claim of many."""
    tree = b"<</Type/Pages/Kids[3 0 R]/Count %d>>" % count
    return pdf([_CATALOGUE, tree, b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>"])


def with_pages(count: int) -> bytes:
    """The same page so many times."""
    tree = b"<</Type/Pages/Kids[%s]/Count %d>>" % (b"3 0 R " * count, count)
    return pdf([_CATALOGUE, tree, b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>"])


def circular_tree() -> bytes:
    """Pages that are below one another."""
    trees = [b"<</Type/Pages/Kids[%d 0 R %d 0 R]/Count 9000>>" % (kid, kid) for kid in (3, 2)]
    return pdf([_CATALOGUE, *trees])


def image_on_page(side: int, *, inches: int) -> bytes:
    """A page of so many inches a side, full of a black image of so many pixels a side."""
    entries = (
        b"/Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace/DeviceRGB"
        b"/BitsPerComponent 8/Filter/FlateDecode" % (side, side)
    )
    return document(
        [stream(b"q %d 0 0 %d 0 0 cm /X Do Q" % (inches * 72, inches * 72))],
        size=(inches * 72, inches * 72),
        resources=b"/XObject<</X 5 0 R>>",
        objects=[stream(deflated_zeros(side * side * 3), entries)],
    )


def long_contents(size: int) -> bytes:
    """Contents that say nothing in so many bytes."""
    return document([deflated(b"q Q\n" * (size // 4))])


def nested_states(count: int) -> bytes:
    """States of graphics, each in another."""
    return document([deflated(b"q " * count)])


def many_lines(count: int) -> bytes:
    """Short lines, each drawn by itself."""
    lines = (b"%d %d m %d %d l S\n" % (i % 595, i % 842, i % 590, i % 840) for i in range(count))
    return document([deflated(b"".join(lines))])


def blended(count: int) -> bytes:
    """Most of the page, blended so many times by hue, saturation and luminosity."""
    return document(
        [deflated(b"/X gs 0 0 500 800 re f\n" * count)],
        resources=b"/ExtGState<</X<</ca .5/BM/Luminosity>>>>",
    )


def drawing_itself() -> bytes:
    """A form that draws itself."""
    return _with_forms([stream(b"/X Do /X Do", _FORM % 5)])


def forms_of_forms(levels: int) -> bytes:
    """Forms that draw the next one ten times each."""
    return _with_forms([stream(b"/X Do " * 10, _FORM % (6 + level)) for level in range(levels)])


def _with_forms(forms: list[bytes]) -> bytes:
    return document([stream(b"/X Do")], resources=b"/XObject<</X 5 0 R>>", objects=forms)


def many_objects(count: int) -> bytes:
    """Objects that belong to nothing, and no table of them."""
    return b"%PDF-1.7\n" + b"1 0 obj\n<</A[1 2 3]>>\nendobj\n" * count
