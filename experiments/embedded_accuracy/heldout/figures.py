"""Simple geometric figures with their measures."""

from collections.abc import Iterator

from experiments.embedded_accuracy.heldout.asking import missing, stated
from experiments.embedded_accuracy.heldout.paper import Note, Style, circle, figure
from experiments.embedded_accuracy.items import Drawing, Pair, Question

PLAIN = Style("Roboto", 22, stripe="#e8f0f8")
SERIF = Style("Source Serif Pro", 23, accent="#7a3b4e", stripe="#fbf0f2")
WARM = Style("Caladea", 24, paper="#fbf7ec", accent="#4d6a4a", stripe="#e7efdf")
NIGHT = Style(
    "Source Sans Pro", 24, paper="#1d2430", ink="#f2f4f8", accent="#8fb8de", stripe="#2a3342"
)


def figures() -> Iterator[Drawing]:
    yield _rectangle_plot()
    yield _named_triangle()
    yield _angled_triangle()
    yield _right_triangle()
    yield _circle_with_radius()
    yield _square_room()
    yield _straight_line_angles()
    yield _triangle_with_height()


def _geometry(text: str, expected: str) -> Question:
    return stated("geometry", text, expected)


def _rectangle_plot() -> Drawing:
    width, height = 14, 9
    corners = [(110, 100), (530, 100), (530, 370), (110, 370)]
    notes = [Note(f"{width} m", (320, 404)), Note(f"{height} m", (580, 235))]
    questions = (
        _geometry("Walk once round the rectangle: what distance is covered?", "46 m"),
        stated("lookup", "How long is the longer side of the rectangle?", f"{width} m"),
    )
    return Drawing("heldout-figure-01", "figure", figure(PLAIN, corners, notes), (), questions)


def _named_triangle() -> Drawing:
    corners = [(110, 380), (540, 380), (230, 90)]
    notes = [
        Note("P", (84, 388)),
        Note("Q", (568, 388)),
        Note("R", (230, 62)),
        Note("PQ = 12 cm", (325, 412)),
        Note("QR = 11 cm", (470, 215)),
        Note("PR = 8 cm", (92, 225)),
    ]
    pairs = (Pair(("PQ",), "12 cm"), Pair(("QR",), "11 cm"), Pair(("PR",), "8 cm"))
    questions = (
        stated("lookup", "What length is marked for QR?", "11 cm"),
        stated("comparison", "Point at the shortest side of the triangle.", "PR"),
        _geometry("How long a wire bends exactly round this triangle?", "31 cm"),
    )
    return Drawing("heldout-figure-02", "figure", figure(SERIF, corners, notes), pairs, questions)


def _angled_triangle() -> Drawing:
    corners = [(90, 380), (560, 380), (350, 90)]
    notes = [Note("54°", (160, 352)), Note("61°", (490, 352)), Note("k", (350, 150))]
    questions = (
        _geometry("Determine the angle k.", "65°"),
        missing("What length does the base of the triangle have?"),
    )
    return Drawing("heldout-figure-03", "figure", figure(WARM, corners, notes), (), questions)


def _right_triangle() -> Drawing:
    corners = [(140, 90), (140, 380), (520, 380)]
    notes = [Note("9 cm", (90, 235)), Note("12 cm", (330, 414)), Note("?", (360, 210))]
    square = [((140, 352), (168, 352)), ((168, 352), (168, 380))]
    questions = (
        _geometry("What belongs at the question mark?", "15 cm"),
        stated("lookup", "How tall is the upright side of the triangle?", "9 cm"),
    )
    picture = figure(NIGHT, corners, notes, square)
    return Drawing("heldout-figure-04", "figure", picture, (), questions)


def _circle_with_radius() -> Drawing:
    notes = [Note("O", (286, 262)), Note("8 cm", (378, 214)), Note("Wheel", (300, 40))]
    picture = circle(PLAIN, (300, 250), 170, notes, (470, 250))
    questions = (
        _geometry("How far is it straight across the wheel, rim to rim?", "16 cm"),
        missing("How much does the wheel weigh?"),
    )
    return Drawing("heldout-figure-05", "figure", picture, (), questions)


def _square_room() -> Drawing:
    corners = [(180, 80), (460, 80), (460, 360), (180, 360)]
    notes = [Note("Square room", (320, 42)), Note("6 m", (320, 392)), Note("door", (420, 334))]
    questions = (
        _geometry("How much floor space is there in the square room?", "36 m²"),
        stated("lookup", "By what name does the room go on the plan?", "Square room"),
    )
    return Drawing("heldout-figure-06", "figure", figure(SERIF, corners, notes), (), questions)


def _straight_line_angles() -> Drawing:
    lines = [((70, 330), (570, 330)), ((320, 330), (470, 90))]
    notes = [Note("122°", (250, 290)), Note("n", (400, 290))]
    questions = (
        _geometry("Both angles lie on a straight line. How big is n?", "58°"),
        stated("yes_no", "Is the marked angle wider than a right angle?", "yes"),
    )
    picture = figure(WARM, [], notes, lines, (640, 420))
    return Drawing("heldout-figure-07", "figure", picture, (), questions)


def _triangle_with_height() -> Drawing:
    corners = [(90, 370), (550, 370), (360, 90)]
    notes = [Note("base 16 cm", (320, 404)), Note("height 7 cm", (266, 325))]
    questions = (
        _geometry("How much surface does this triangle enclose?", "56 cm²"),
        stated("lookup", "What base is written under the triangle?", "16 cm"),
    )
    picture = figure(PLAIN, corners, notes, [((360, 90), (360, 370))])
    return Drawing("heldout-figure-08", "figure", picture, (), questions)
