r"""The table of what is right and what is wrong, what holds for every answer, and the pool."""

import asyncio
import re
import subprocess
import sys
import threading
from fractions import Fraction
from itertools import combinations

import psutil
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from racro.grading import Grader, Ungradable, is_right
from support.processes import PATIENCE_S, wait_until

OPTIONS = {"A": "10 cm", "B": "12 cm", "C": "12 m", "D": "None of these"}
FORMULAS = {"A": r"\frac{\sqrt{3}}{2}", "B": r"\frac{1}{2}", "C": r"\sqrt{3}", "D": "0.5"}
NAMES = {"A": "a cat", "B": "a dog", "C": "both A and B", "D": "a cat"}
ROUNDED = {"A": "3.1", "B": "3.14", "C": "3.142", "D": r"\pi"}
LETTERS = {"A": "A and B", "B": "B and C", "C": "A and C", "D": "All of these"}
SWAPPED = {"A": "B", "B": "A", "C": "(a)/2"}
CASED = {"A": "m", "B": "M"}
SIGNED = {"A": "4", "B": "-4"}

# kind: lines "answer | expected", with the options where there are any.
WITH_OPTIONS = {
    "the letter decides": (OPTIONS, """
        B | B
        b | B
        (B) | B
        (b) | B
        B. | B
        B) | B
        B. 12 cm | B
        B: 12 cm | B
        (B) 12 cm | B
        B 12 cm | B
        B, because it is the longest | B
        Option B | B
        option (B) | B
        Answer: B | B
        \\boxed{B. 12 cm} | B
        \\text{(B)} | B
        B. 10 cm | B
        B | (B) 12 cm
        B | 12 cm
        """),
    "the option's text": (OPTIONS, """
        12 cm | B
        $12\\text{ cm}$ | B
        12 centimetres | B
        10 | A
        none of these | D
        """),
    "a formula of an option": (FORMULAS, """
        \\sqrt{3}/2 | A
        A. \\sqrt{3}/2 | A
        \\sqrt{3} | C
        """),
    "an option that speaks of others": (NAMES, """
        C. both A and B | C
        both A and B | C
        C | C
        a dog | B
        B. a dog | B
        """),
    "exactly the text of one option": (ROUNDED, """
        3.1 | A
        3.14 | B
        3.142 | C
        \\pi | D
        """),
    "options of letters": (LETTERS, """
        A and C | C
        A and B | A
        C. A and C | C
        A | A
        """),
    "options that differ by case": (CASED, """
        m | A
        M | B
        """),
    "an option that begins with a sign": (SIGNED, """
        (B) -4 | B
        (B) −4 | B
        B. -4 | B
        """),
    "several letters": (OPTIONS, """
        A and C | A, C
        C, A | A, C
        AC | A, C
        CA | AC
        A, C | AC
        (A) and (C) | AC
        A & C | AC
        A,B,C | ABC
        """),
}  # fmt: skip
WRONG_WITH_OPTIONS = {
    "another letter": (OPTIONS, """
        A | B
        E | B
        A. 12 cm | B
        C | B
        B | A
        """),
    "no one letter": (OPTIONS, """
        A or B | B
        B or C | B
        A, B | B
        (A) or (B) | B
        B. or C. | B
        B. 12 cm or C. 12 m | B
        B/C | B
        AB | B
        Answer | A
        A dog | A
        """),
    "another text": (OPTIONS, """
        10 cm | B
        11 cm | B
        12 | B
        12 inches | B
        these | D
        """),
    "the text of two options": (FORMULAS, """
        0.5 | B
        1/2 | D
        """),
    "and of these": (NAMES, """
        a cat | A
        cat | D
        dogs | B
        """),
    "the text of another option": (ROUNDED, """
        3.14 | A
        3.1 | B
        3.1416 | C
        """),
    "not these letters": (LETTERS, """
        A and C | A
        A and B | B
        A, C | B
        A | C
        """),
    "a letter that is the text of another": (SWAPPED, """
        B | A
        B. A | A
        (a)/2 | A
        """),
    "not all letters, or more": (OPTIONS, """
        A | AC
        ABC | AC
        A or C | AC
        A, D | AC
        AAC | AC
        10 cm and 12 m | AC
        """),
    "nothing": (OPTIONS, "| B"),
}  # fmt: skip
RIGHT = {
    "sets, signs and units as textbooks write them": """
        x \\leqslant 3 | (-\\infty, 3]
        -1 \\le x < 2 | [-1, 2)
        x\\in[-1,2) | -1 \\le x < 2
        t > 0 | (0, \\infty)
        (0, +\\infty) | x>0
        x \\in (0, +\\infty) | (0,\\infty)
        x<-1\\text{ or }x>1 | (-\\infty,-1)\\cup(1,\\infty)
        $x<3$ | $(-\\infty,3)$
        x \\lt 3 | (-\\infty,3)
        x \\in \\mathbb{R} | \\mathbb{R}
        (-\\infty, 3) | \\{x : x < 3\\}
        \\{x \\in \\mathbb{R} \\mid x<3\\} | x<3
        x<3 \\text{ and } x>1 | (1,3)
        x < 3 \\lor x > 5 | (-\\infty,3)\\cup(5,\\infty)
        -1 or 1 | \\pm1
        x=1 or x=-1 | \\pm 1
        x=\\pm 1 | \\pm 1
        ±1 | 1, -1
        \\pm\\frac{1}{2} | \\frac12 or -\\frac12
        \\pm 3i | 3i, -3i
        3 \\pm 2i | 3+2i, 3-2i
        1\\pm\\sqrt2 | 1-\\sqrt2 or 1+\\sqrt2
        \\cos^2 x+\\sin^2 x | 1
        1 | \\sin^2(x)+\\cos^2(x)
        2\\sin x\\cos x | \\sin 2x
        1+\\tan^2 x | \\sec^2 x
        \\cos^2 x - \\sin^2 x | \\cos 2x
        5 µF | 5 microfarads
        5 uF | 5 μF
        3 mmol | 3
        500 nm | 500
        1.5 GHz | 1.5
        4 kB | 4
        4 MB | 4
        100 kPa | 100
        2 mH | 2 millihenries
        2 Ω | 2 ohms
        5 kΩ | 5 kiloohms
        5 k\\Omega | 5
        20 dB | 20
        3 eV | 3
        3 MeV | 3
        3 kN | 3 kilonewtons
        3 mA | 3
        5 mV | 5 millivolts
        5 pF | 5
        5 cL | 5 cl
        5\\ \\mathrm{mA} | 5 mA
        5\\,\\mu\\mathrm{F} | 5 µF
        5 µs | 5 microseconds
        10 N/m^2 | 10
        3\\times10^8 m/s | 3e8
        5 kg m^2 | 5
        5 Gbit/s | 5
        5 MB/s | 5
        5 mol/L | 5
        72 bpm | 72
        5 kg·m/s² | 5
        5 V/m | 5
        10^{-9} m | 1e-9 m
        """,
    "units with the prefixes of the SI": """
        5 nm | 5
        5 nm | 5 nanometers
        5 mV | 5
        60 dB | 60
        16 GB | 16
        2 eV | 2 electronvolts
        3 kN | 3
        20 mA | 20 milliamps
        10 kΩ | 10
        10 k\\Omega | 10 kΩ
        10\\,k\\Omega | 10 kΩ
        10k\\Omega | 10 kΩ
        5 \\mu m | 5 μm
        5 µm | 5 um
        5 \\mu\\text{A} | 5 microamps
        5 m s^{-1} | 5 m/s
        9.8 m/s^2 | 9.8 m s^{-2}
        5 N·m | 5 N m
        4.2 J/(kg·K) | 4.2 J/kg K
        5 mph | 5 mi/h
        5 T | 5
        12厘米 | 12 cm
        12平方厘米 | 12 cm^2
        5 KB | 5 kB
        5 hPa | 5
        3 \\Omega | 3 ohms
        50 km/h | 50 kph
        2\\sqrt{3}\\,k\\Omega | 2\\sqrt{3}
        5 Å | 5 angstroms
        """,
    "solutions of inequalities": """
        x<3 | (-\\infty,3)
        x \\in (-\\infty,3) | x<3
        x \\in (1,2) | (1,2)
        1<x<3 | (1,3)
        3 > x \\ge 1 | [1,3)
        x \\le 3 | (-\\infty, 3]
        x \\ge \\sqrt{2} | [\\sqrt 2, \\infty)
        x<1 or x>2 | (-\\infty,1)\\cup(2,\\infty)
        x>1 and x<3 | (1,3)
        x>1 and x<3 | 1<x<3
        \\{x \\mid x<3\\} | (-\\infty,3)
        x \\in \\{1,2\\} | 1, 2
        x ∈ {1,2} | x = 1 or x = 2
        x∈(-∞,3) | (-\\infty,3)
        x<=3 | (-\\infty,3]
        5 < x | (5,\\infty)
        """,
    "plus or minus": """
        1 or -1 | \\pm 1
        \\pm 1 | -1 or 1
        1 and -1 | \\pm 1
        2 \\pm \\sqrt{3} | 2+\\sqrt{3}, 2-\\sqrt{3}
        \\frac{-1 \\pm \\sqrt{5}}{2} | \\frac{-1+\\sqrt{5}}{2}, \\frac{-1-\\sqrt{5}}{2}
        x = 2 \\pm 1 | x = 1 or x = 3
        \\{\\pm 1\\} | \\{-1,1\\}
        +/-2 | \\pm 2
        5.0 \\pm 0.1 | 5 \\pm 0.1
        x = 2.5 \\pm 0.5 | x = 2 or x = 3
        1-\\pm 2 | 3 and -1
        """,
    "formulas that are a number for every x": """
        \\sin^2 x+\\cos^2 x | 1
        \\sin^2\\theta + \\cos^2\\theta | 1
        \\sec^2 x - \\tan^2 x | 1
        \\sin 30^\\circ | 1/2
        \\cos(60°) | 0.5
        """,
    "numbers as they are written in Europe": """
        1.234,5 | 1234.5
        1 234,5 | 1234.5
        1.234,50 € | €1,234.50
        1.234.567 | 1234567
        1'234.5 | 1234.5
        """,
    "a letter where the options stand in the question": """
        B | B
        B. 12 cm | B
        \\boxed{B. 12 cm} | B
        (B) | B
        (B) 12 cm | B
        Option B | B
        B | B. 12 cm
        b | B
        A and C | A, C
        (B) -4 | B
        (B) \\frac{1}{2} | B
        """,
    "numbers": """
        5 | 5
        5.0 | 5
        5. | 5
        +5 | 5
        05 | 5
        \\boxed{5} | 5
        $5$ | 5
        \\(5\\) | 5
        **5** | 5
        (5) | 5
        1,234 | 1234
        1{,}234 | 1234
        1\\,234 | 1,234
        1,234,567.5 | 1234567.5
        .5 | 0.5
        five | 5
        100 000 | 100000
        -5 | −5
        − 5 | -5
        -0.5 | -.5
        0 | -0
        ５ | 5
        """,
    "fractions": """
        1/2 | 0.5
        2/4 | 1/2
        \\frac{1}{2} | 1/2
        \\dfrac{1}{2} | \\frac12
        \\frac{3}{4} | 0.75
        -\\frac{3}{4} | -0.75
        \\frac{-3}{4} | -\\frac{3}{4}
        1 1/2 | 3/2
        1\\frac{1}{2} | 1.5
        1½ | 1.5
        ½ | 0.5
        -1 1/2 | -1.5
        4/2 | 2
        """,
    "scientific notation and large numbers": """
        1.2e3 | 1200
        1.2\\times10^3 | 1200
        1.2 × 10^{3} | 1.2e3
        3 x 10^-4 | 0.0003
        3 \\cdot 10^{-4} | 3e-4
        6.02×10²³ | 6.02e23
        2.5 million | 2,500,000
        3 thousand | 3000
        5k | 5000
        5k | $5000
        5k | 5000 people
        $1.5M | $1,500,000
        2 dozen | 24
        """,
    "units": """
        12 cm | 12 cm
        12cm | 12 cm
        12 | 12 cm
        12 cm | 12
        12\\text{ cm} | 12cm
        12\\,\\mathrm{cm} | 12 cm
        12 centimeters | 12 cm
        12 Centimetres | 12 cm
        12m | 12 m
        5 m/s | 5 meters per second
        5 km/h | 5 kph
        20 cm^2 | 20 square centimeters
        20 cm² | 20 cm^{2}
        20 cm2 | 20 sq cm
        8 m^3 | 8 cubic metres
        7 apples | 7
        7 | 7 apples
        7 Apples | 7 apples
        3 hrs | 3 hours
        1 hour | 1 h
        12 sq units | 12 square units
        2\\sqrt{3} cm | 2\\sqrt{3}
        2\\sqrt{3}\\text{ cm} | \\sqrt{12} cm
        6\\pi cm^2 | 6\\pi
        1/2 m | 0.5 m
        5 Apples | 5 apples
        3 MHz | 3
        """,
    "angles and temperatures": """
        30° | 30
        30^\\circ | 30°
        30^{\\circ} | 30 degrees
        30\\degree | 30°
        20 °C | 20 degrees Celsius
        20℃ | 20°C
        """,
    "money": """
        $5 | 5
        \\$5 | $5
        $5.00 | 5 dollars
        5 USD | $5
        -$5 | -5
        $-5 | -5
        €1,200 | 1200 euros
        $3 per hour | 3 dollars/hour
        """,
    "percentages": """
        50% | 50
        50 | 50%
        50\\% | 50 percent
        50% | 0.5
        0.5 | 50%
        1/2 | 50%
        12.5% | 0.125
        150% | 1.5
        1 | 100%
        """,
    "rounding": """
        3.1416 | 3.14
        \\pi | 3.14
        2\\sqrt{2} | 2.83
        1/3 | 0.33
        12.46 | 12.5
        12.45 | 12.5
        0.1249 | 12.5%
        0.333333 | 1/3
        3.14159 | \\pi
        1.414214 | \\sqrt{2}
        3.14159 | 3.1415926
        2.50 | 2.5
        """,
    "names of what is asked": """
        x = 5 | 5
        5 | x = 5
        x=5 | x = 5
        \\angle ABC = 30^\\circ | 30
        AB = 5 cm | 5 cm
        x \\approx 5.24 | 5.24
        ≈ 5.24 | 5.24
        f(x) = 2x | 2x
        y = 2x + 1 | y = 1 + 2x
        Area = 5 | 5
        m\\angle ABC = 30 | 30
        \\bar{x} = 5 | 5
        x_1 = 5 | x_{1} = 5
        P(A) = 1/2 | 1/2
        """,
    "algebra": """
        \\frac{\\sqrt{3}}{2} | \\sqrt{3}/2
        √3/2 | \\frac{\\sqrt3}{2}
        sqrt(8) | 2\\sqrt{2}
        \\sqrt{8} | 2√2
        2π | 2\\pi
        2pi | 2\\pi
        2*pi | 2\\pi
        x^2+2x+1 | (x+1)^2
        2(x+3) | 2x+6
        2^10 | 1024
        1,000,000 | 10^6
        1 million | 10^6
        10! | 3628800
        \\varnothing | ∅
        x > 5 | 5 < x
        x ≥ 5 | x \\geq 5
        \\frac{a}{b} | a/b
        2+3 | 5
        y = 2x | 2x - y = 0
        (-∞, 1) ∪ (2, ∞) | (2,\\infty)\\cup(-\\infty,1)
        |x| | \\left|x\\right|
        \\begin{pmatrix}1\\\\2\\end{pmatrix} | \\begin{pmatrix}1\\\\2.0\\end{pmatrix}
        R^2-r^2 | (R-r)(R+r)
        \\alpha+2\\gamma | 2\\gamma+\\alpha
        \\pi R^2 | R^2\\pi
        \\frac{Mm}{r^2} | \\frac{mM}{r^2}
        \\sin^{-1} x | \\arcsin x
        2 x | 2x
        4*6 | 24
        3 \\cdot 2 | 6
        3/4 - 1/2 | 1/4
        10-2\\pi | -2\\pi+10
        \\log_2 8 | 3
        """,
    "lists, sets, tuples, intervals": """
        1, 2 | 2, 1
        1 and 2 | 1, 2
        1, 2, and 3 | 3, 2, 1
        \\{1, 2\\} | \\{2, 1\\}
        \\{1, 2\\} | 1, 2
        5 or 6 | 6 or 5
        x = 2 or x = 3 | x = 3 or x = 2
        x = 2, x = 3 | 2, 3
        x=1, y=2 | y=2, x=1
        x=1, y=2 | 1, 2
        \\pm 2 | 2, -2
        (3, 4) | (3,4)
        (1/2, 3) | (0.5, 3.0)
        \\left(3, 4\\right) | (3, 4)
        (-\\infty, 3] | (-∞,3]
        [0, \\sqrt{8}] | [0, 2\\sqrt{2}]
        red, blue and green | green, red, blue
        Blue, Red | red, blue
        the cat and the dog | dog and cat
        3:4 | 3:4
        3 : 4 | 3:4
        3.14, 3.1 | 3.1, 3.14
        0.50, 0.5 | 0.5, 0.50
        x = 1 or x = 2 | 1, 2
        x = 2 or x = 1 | 1, 2
        x = 1 or x = 2 | x = 2, x = 1
        x = 1 or x = 2 | 1 or 2
        x=±1 | x=1 or x=-1
        x=±1 | 1, -1
        100,200,300 | 100, 200, 300
        300,100,200 | 100, 200, 300
        1990-1999, 2000-2009 | 2000-2009, 1990-1999
        """,
    "words": """
        Yes | yes
        Yes. | yes
        TRUE | True
        the cat | cat
        a cat | the cat
        "cat" | cat
        \\text{blue} | Blue
        Light-blue | light blue
        Rubik’s cube | Rubiks cube
        New  York | new york
        St. Louis | St Louis
        > | >
        Route 66 | route 66
        Tan | tan
        \\text{No} | no
        Yes | YES
        NO | no
        On the left | on the left
        12:30 PM | 12:30 pm
        \\text{x-axis} | x\\text{-axis}
        H_2O | H2O
        H_{2}O | H₂O
        a_1 | a_{1}
        rock & roll | Rock & Roll
        line a ∥ line b | Line a ∥ line b
        """,
    "ranges, dates, scores, sizes as they stand": """
        10-20 | 10–20
        10 - 20 | 10-20
        $10 - $20 | $10-$20
        10% - 20% | 10%-20%
        1920 x 1080 | 1920×1080
        2 x 3 | 2x3
        2020-01-02 | 2020-01-02
        2 \\times 3 | 2×3
        101_2 | 101_2
        2-3 hours | 2-3 Hours
        """,
}
WRONG = {
    "sets, signs and units as textbooks write them": """
        x \\le 3 | x<3
        x\\in[-1,2) | -1<x<2
        x>0 | [0,\\infty)
        t>0 | x>0
        -3<x<3 | \\pm 3
        (1,3) | \\{1,3\\}
        x \\in \\mathbb{R} | \\mathbb{Z}
        \\pm 1 | \\pm 2
        \\pm 1 | 0
        1 or -1 | 1
        5 mH | 5 MH
        5 mm | 5 μm
        5 GB | 5 Gb
        5 mW | 5 MW
        5 pF | 5 nF
        5 nm | 5 dB
        5 A | 5 V
        5 kg | 5 g
        \\cos 2x | \\cos^2 x
        1+\\tan^2 x | 1
        \\sin^2 x | 1
        3 \\pm 2i | 3+2i
        x < 3 \\lor x > 5 | (3,5)
        x<3 or y>5 | (-\\infty,3)\\cup(5,\\infty)
        """,
    "units with the prefixes of the SI": """
        5 nm | 5 mm
        5 mA | 5 MA
        5 dB | 5 GB
        2T | 2
        2S | 2
        3dt | 3
        5 kN | 5 N
        5 kΩ | 5 MΩ
        5 m/s | 5 m s
        2\\omega | 2
        5 nm | 5 Nm
        5 meV | 5 MeV
        2ab | 2
        5 / | 5
        5 m/m | 6
        """,
    "solutions of inequalities": """
        x<3 | (-\\infty,3]
        x \\le 3 | (-\\infty,3)
        x<3 | (3,\\infty)
        x \\in (1,2) | y \\in (1,2)
        x<3 | y<3
        1<x<3 | (1,4)
        x \\in (1,2] | (1,2)
        1<x<3 | [1,3]
        x<1 or x>2 | (1,2)
        x<3 | 3
        x>1 and x>3 | (1,3)
        x \\in \\{1,2\\} | \\{1,3\\}
        x<3 | x
        """,
    "plus or minus": """
        1 | \\pm 1
        1 or 1 | \\pm 1
        1 or 2 | \\pm 1
        2 \\pm \\sqrt{3} | 2+\\sqrt{3}
        2 \\pm \\sqrt{3} | 2 \\pm \\sqrt{2}
        -1 | \\pm 1
        5 \\pm 0.1 | 5
        5 \\pm 0.1 | 4.9 and 5.1
        4.9, 5.1 | 5 \\pm 0.1
        5 ± 0.1 cm | 4.9 cm and 5.1 cm
        2.5 +/- 1 | 1.5 or 3.5
        """,
    "formulas that are a number for every x": """
        \\sin^2 x-\\cos^2 x | 1
        \\sin^2 x+\\cos^2 y | 1
        \\sin x+\\cos x | 1
        2\\sin^2 x+\\cos^2 x | 1
        \\sin^2 x+\\cos^2 x | 2
        \\frac{x^2-1}{x-1}-x | 1
        \\frac{x}{x} | 1
        \\frac{\\theta}{\\theta} | 1
        x/x | 1
        x^0 | 1
        x \\cdot x^{-1} | 1
        \\frac{x}{x} + 1 | 2
        \\sin 30 | 1/2
        \\cos 30° | 1/2
        """,
    "numbers as they are written in Europe": """
        1.234 | 1,234
        1.234,5 | 1.2345
        3,5 | 3.5
        1.234,567 | 1234567
        12,34 | 1234
        """,
    "a letter where the options stand in the question": """
        A | B
        A or B | B
        A, B | B
        A. 12 cm | B
        12 cm | B
        A. Jones | A. Smith
        a, 5 | a
        C, N and O | C
        A dog | A
        A and B | A, C
        A or C | A and C
        A or C | A, C
        B | B and C
        (a)/2 | a
        (b)^2 | b
        (a) + b | a
        (a)! | a
        (a)-1 | a
        (A) \\cup B | A
        (a) = 5 | a
        """,
    "numbers": """
        5 | 6
        -5 | 5
        5 | −5
        1,234 | 1.234
        12,34 | 1234
        50 | 5
        5! | 5
        five | 6
        1e3 | 100
        1e-7 | 2e-7
        0.0000001 | 0.0000002
        1000001 | 1000000
        5 | 5 million
        $5k | $5
        1.5k | 1500 g
        1.5K | 1500 m
        2M | 2000000 m
        1500 g | 1.5k
        3 halves | 3
        3 squared | 3
        12,34 | 12.34
        1,000,000 | 10^5
        """,
    "fractions": """
        1/2 | 1/3
        1/2 | 2/1
        11/2 | 1 1/2
        1½ | 11/2
        1/0 | 1
        1/0 | 2/0
        -\\frac{1}{2} | \\frac{1}{2}
        3:4 | 3/4
        3:4 | 4:3
        6:8 | 3:4
        """,
    "units": """
        12 m | 12 cm
        1200 cm | 12 m
        12 cm | 12 cm^2
        20 cm^2 | 20 cm^3
        5 m/s | 5 km/h
        5 m/s | 5 m
        12 cm | 13
        12 apples | 12 pears
        12 apple | 12 apples
        5M | 5m
        3x | 3
        2\\pi | 2
        5i | 5
        2xy | 2
        2\\sqrt{3} cm | 2\\sqrt{3} m
        2\\sqrt{3} cm | 2\\sqrt{2} cm
        30° | 30%
        30° | 30°C
        $5 | €5
        $5 | 6
        5 pairs of shoes | 5
        3 sixteenths | 3
        5 elevenths | 5
        5 twentieths | 5
        5 tens | 5
        5 zeros | 5
        5 quadrillion | 5
        5 gross | 5
        5 score | 5
        5 less | 5
        5 more | 5
        5 below | 5
        5 short | 5
        5 remainder | 5
        5 percentile | 5
        5 sin | 5
        5 log | 5
        2 sqrt | 2
        5 root | 5
        5 delta | 5
        5 omega | 5
        5 per | 5
        5 M | 5 m
        10 MW | 10 mW
        5 Pa | 5 pA
        3 MHz | 3 mHz
        """,
    "percentages": """
        50% | 5
        50% | 0.05
        0.5 | 0.5%
        1 | 1%
        5% | 50%
        """,
    "rounding": """
        3.1 | 3.14
        3 | 3.14
        3.2 | 3.14
        5.2 | 5
        4.9 | 5
        5 | 5.2
        0.46 | 0.5
        0.3 | 1/3
        0.33 | 1/3
        3.14 | \\pi
        1.73 | \\sqrt{3}
        0.666666 | 2/3
        12.44 | 12.5
        4.999999 | 5
        2\\sqrt{2} | 2.82
        """,
    "names of what is asked": """
        y = 5 | x = 5
        x = 5 | 6
        x + 1 = 5 | 5
        x > 5 | 5
        x = 5 | x > 5
        \\angle ABC = 30° | \\angle ABD = 30°
        \\sqrt{x} = 5 | 5
        x' = 5 | x = 5
        not x = 5 | 5
        x not = 5 | 5
        \\neg x = 5 | 5
        wrong = 5 | 5
        \\sec x = 2 | 2
        \\arcsin x = 1 | 1
        \\exp x = 1 | 1
        X = 5 | x = 5
        AB = 5 | ab = 5
        \\Delta = 5 | \\delta = 5
        """,
    "algebra": """
        \\frac{\\sqrt{3}}{2} | \\frac{\\sqrt{2}}{2}
        x - y | x y
        x + 1 | x + 2
        x^2 | 2x
        -x | x
        x > 5 | x < 5
        x > 5 | x \\ge 5
        y = 2x + 1 | y = 2x + 2
        \\sqrt{2} | 2
        \\sqrt{2} | \\sqrt{3}
        \\pi | \\pi^2
        2 | \\pm 2
        H2O2 | H4O
        HO | H2O
        CO2 | 2CO
        \\pi R^2 | \\pi r^2
        R-r | r-r
        R-r | 0
        2A | 2a
        2E | 2e
        a+b | A+B
        \\Delta | \\delta
        \\Gamma | \\gamma
        \\gamma | 0.577216
        2\\Delta | 2\\delta
        \\Omega | \\omega
        \\sin A | \\sin a
        \\frac{Mm}{r^2} | \\frac{Mm}{R^2}
        F(x)+1 | f(x)+1
        f^{-1}(x) | 1/f(x)
        ~p | p
        x_1+1 | x_2+1
        """,
    "lists, sets, tuples, intervals": """
        5 or 6 | 5
        5, 6 | 5
        5 | 5, 6
        2, 2 | 2
        1, 2 | 1, 3
        1, 2, 3 | 1, 2
        (2, 1) | (1, 2)
        (1, 2) | [1, 2]
        (1, 2] | [1, 2)
        (1, 2) | 1, 2
        x=1, y=2 | 2, 1
        x=1, y=2 | x=2, y=1
        5 or 6 | 5 and 6
        red or blue | red
        red or blue | red and blue
        red or blue | red, blue
        2 or 3 | 2, 3
        red, blue | red
        red | red, blue
        red, red | red, blue
        x = 1 or x = 2 | 1, 3
        x = 1 or x = 2 | 1
        x = 1 or y = 2 | 2, 1
        x = 1 or y = 2 | 1, 2
        x=±1 | y=1 or y=-1
        3.1, 3.1 | 3.1, 3.14
        1, 234 | 1,234
        100,200,300 | 100, 200, 400
        100,200 | 100200300
        """,
    "words": """
        yes | no
        yes or no | yes
        Yes, no | yes
        true | yes
        cat | cats
        cat | dog
        no | on
        a cat | a cat and a dog
        not blue | blue
        light blue | blue
        > | <
        AB | BA
        cat | tac
        north | 5
        Co | CO
        Hg | HG
        AB | ab
        Aa | aa
        AaBb | aabb
        AABB | aabb
        Aabb | aabb
        AaBb | AABB
        mhz | mHz
        ABC ≅ DEF | ABC ~ DEF
        line a ∥ line b | line a ⊥ line b
        red → blue | red ← blue
        red → blue | blue → red
        length - width | length * width
        length - width | length width
        cats ⊂ dogs | cats ⊃ dogs
        true ∧ false | true ∨ false
        sum & product | sum product
        कमरा | कमरे
        कि | की
        H_2O | H_3O
        """,
    "nothing": """
        | 5
        $$ | 5
        . | yes
        \\boxed{} | x
        """,
    "ranges, dates, scores, sizes, bases": """
        10-20 | 20-30
        1990-1999 | 2000-2009
        10–20 | 20–30
        $10-$20 | $20-$30
        $10-20 | $20-30
        10-20% | 20-30%
        10%-20% | 20%-30%
        10-20 cm | 20-30 cm
        2-3 hours | 3-4 hours
        2020-01-02 | 2020-02-01
        4/2/2020 | 2/1/2020
        2010-2015 | -5
        3-2 | 1
        555-1234 | 1234-555
        1.5-2.5 | 2.5-3.5
        2×3 | 3×2
        2 x 3 | 3 x 2
        2\\times 3 | 6
        1920x1080 | 1080x1920
        101_2 | 101
        101_2 | 101_3
        77_8 | 77_{16}
        (101)_2 | 101
        """,
}


# No two of these are the same, whatever they have in common.
DIFFERENT = r"""
-5 | \pm 5 | 5 or -6 | 6 | 50 | 5% | 5 cm | 5 nm | 5 mm | 5 mV | 5 MV | 5 kΩ | 5 MΩ | 5 dB
5 GB | 5 m/s | 5 m s | 5 m s^{-2} | 1.234,5 | 1,234 | 1.2345 | 12345 | x < 5 | x \le 5 | x > 5
y < 7
(5, \infty) \cup (-\infty, 2) | (-\infty, 5) \cap (2, 9) | [5, 7) | (5, 7) | (5, 7] | \{5, 7\}
x \in \{5, 8\} | 2 < x < 9 | x < 2 or x > 9 | \sin^2 x | \sin^2 x + 2\cos^2 x | \sin 2x | 2\sin x
5 \pm \sqrt{2} | 5 + \sqrt{2} | 5 \pm \sqrt{3} | \pm\sqrt{2} | x | 5x | x + 5 | yes | no
""".replace("\n", " | ")


def pairs(lines: str) -> list[tuple[str, str]]:
    found = []
    for line in filter(str.strip, lines.splitlines()):
        # The first bar that stands free: |x| | |x|.
        answer, expected = re.split(r"(?:^|\s)\|\s", line.strip(), maxsplit=1)
        found.append((answer.strip(), expected.strip()))
    return found


def table(groups: dict[str, str], verdict: bool) -> list[tuple[str, str, bool]]:
    return [(*pair, verdict) for lines in groups.values() for pair in pairs(lines)]


FREE = table(RIGHT, True) + table(WRONG, False)
CHOICES = [
    (*pair, options, verdict)
    for groups, verdict in ((WITH_OPTIONS, True), (WRONG_WITH_OPTIONS, False))
    for options, lines in groups.values()
    for pair in pairs(lines)
]


def test_the_table_is_large_enough() -> None:
    assert len(FREE) + len(CHOICES) >= 150


@pytest.mark.parametrize(("answer", "expected", "verdict"), FREE, ids=ascii)
def test_free_answer(answer, expected, verdict) -> None:
    assert is_right(answer, expected) is verdict


def test_different_answers_are_wrong_for_each_other() -> None:
    answers = [answer.strip() for answer in DIFFERENT.split(" | ") if answer.strip()]
    every = list(combinations(answers, 2))
    assert len(every) >= 1000
    assert [pair for pair in every if is_right(*pair)] == []


@pytest.mark.parametrize(("answer", "expected", "options", "verdict"), CHOICES, ids=ascii)
def test_option(answer, expected, options, verdict) -> None:
    assert is_right(answer, expected, options) is verdict


@pytest.mark.parametrize(
    ("expected", "options"),
    [("", {}), (" \n", {}), ("$$", {}), ("", OPTIONS), ("E", OPTIONS), ("13 cm", OPTIONS),
     ("A and E", OPTIONS), ("a cat", NAMES)],
)  # fmt: skip
def test_an_expected_answer_that_nothing_can_be_compared_with_is_ungradable(
    expected, options
) -> None:
    with pytest.raises(Ungradable):
        is_right("B", expected, options)


ANSWERS = st.text("ABcdx0123456789.,-+/%$°^{}()[]\\ =<orandcm", max_size=12) | st.text(max_size=20)
KNOWN = st.sampled_from([answer for answer, _, _ in FREE])


def gradable(text: str) -> bool:
    try:
        is_right("", text)
    except Ungradable:
        return False
    return True


@given((ANSWERS | KNOWN).filter(gradable))
def test_an_answer_is_right_for_itself(answer) -> None:
    assert is_right(answer, answer)


# Of which some are right for others.
ITEMS = st.sampled_from(
    [
        "3.1",
        "3.14",
        "3.142",
        "-3.1",
        r"\pi",
        "50%",
        "50",
        "1/2",
        "12 cm",
        "12",
        "x = 12",
        "red",
        "Red",
    ]
)


@given(st.lists(ITEMS, min_size=2, max_size=6), st.randoms())
def test_a_shuffled_list_is_right_for_itself(items, random) -> None:
    shuffled = random.sample(items, len(items))
    assert is_right(", ".join(shuffled), ", ".join(items))


# Formulas of which each takes its time are in the table; a decimal may be a rounding of the other.
DECIMAL = re.compile(r"\.\d")
WITHOUT_ROUNDING = (ANSWERS | KNOWN).filter(
    lambda text: gradable(text) and not DECIMAL.search(text)
)


@given(WITHOUT_ROUNDING, WITHOUT_ROUNDING)
def test_it_does_not_matter_which_of_two_answers_is_expected(one, other) -> None:
    assert is_right(one, other) is is_right(other, one)


@pytest.mark.parametrize(
    ("answer", "expected", "verdict"),
    [row for row in FREE if not DECIMAL.search(row[0] + row[1]) and row[0].strip("$.{}\\boxed ")],
    ids=ascii,
)
def test_nor_does_it_in_the_table(answer, expected, verdict) -> None:
    assert is_right(expected, answer) is verdict


@given(ANSWERS, ANSWERS.filter(lambda text: any(map(str.isalnum, text))))
def test_what_has_a_letter_or_a_digit_can_be_graded(answer, expected) -> None:
    assert is_right(answer, expected) in {True, False}


@given(ANSWERS | ITEMS, st.dictionaries(st.sampled_from("ABCD"), ANSWERS | ITEMS, min_size=1))
def test_an_answer_is_right_for_at_most_one_option(answer, options) -> None:
    assert [is_right(answer, letter, options) for letter in options].count(True) <= 1


NUMBERS = st.integers() | st.fractions() | st.decimals(-1000, 1000, places=3).map(str)
SHAPES = st.sampled_from(
    ["{}", "{} cm", "${}$", "x = {}", r"\boxed{{{}}}", "$\\text{{{}}}$", "({})"]
)


@given(NUMBERS, NUMBERS, SHAPES, SHAPES)
@example("0.0000001", "0.0000002", "{}", "{}")
@example(10**30, 10**30 + 1, "{}", "{}")
def test_different_numbers_are_never_the_same(one, other, our_shape, their_shape) -> None:
    assume(abs(Fraction(one) - Fraction(other)) > Fraction("0.0005"))
    assert not is_right(our_shape.format(one), their_shape.format(other))


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_thousands_separators_change_nothing(one, other) -> None:
    assert is_right(f"{one:,}", f"{other}") is (one == other)


LONG = "\\sqrt{" * 1500 + "2" + "}" * 1500
HOSTILE = [
    LONG,
    "9**9**9**9",
    "9^{9^{9^{9}}}",
    "1e999999999",
    "10^{10^{10}}!",
    "((((" * 100,
    "(" * 90 + "x" + ")" * 90,
    "\\frac{1}{" * 40 + "x" + "}" * 40,
    "x^{" * 60 + "2" + "}" * 60,
    "99999999!",
    "9" * 450,
    "(x+1)^{99999}",
    "1," * 249 + "1",
    "\\text{" * 80 + "a" + "}" * 80,
    "$" * 499,
]


@pytest.fixture(scope="module")
def module_loop():
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


@pytest.fixture(scope="module")
def grader(module_loop):
    """One for many tests: its processes load math-verify for a second."""
    grader = Grader(timeout_s=PATIENCE_S)
    module_loop.run_until_complete(grader.__aenter__())
    yield grader
    module_loop.run_until_complete(grader.__aexit__(None, None, None))


@pytest.fixture(scope="module")
def hasty(module_loop):
    """For answers that nothing but the end of their time ends."""
    grader = Grader(timeout_s=0.5)
    module_loop.run_until_complete(grader.__aenter__())
    yield grader
    module_loop.run_until_complete(grader.__aexit__(None, None, None))


def workers() -> list[psutil.Process]:
    """Of this process's pools: the children of its fork server."""
    below = psutil.Process().children(recursive=True)
    return [process for process in below if process.ppid() != psutil.Process().pid]


@pytest.mark.parametrize("answer", HOSTILE, ids=lambda text: ascii(text[:20]))
def test_a_hostile_answer_is_wrong_within_the_time(hasty, grader, module_loop, answer) -> None:
    assert module_loop.run_until_complete(hasty.is_right(answer, "x^2+1")) is False
    assert module_loop.run_until_complete(grader.is_right(answer, answer)) is True


def test_a_grader_says_what_the_table_says(grader, module_loop) -> None:
    rows = [(answer, expected, {}, verdict) for answer, expected, verdict in FREE] + CHOICES

    async def grade() -> list[bool]:
        return await asyncio.gather(*(grader.is_right(*row[:3]) for row in rows))

    assert module_loop.run_until_complete(grade()) == [row[3] for row in rows]


def test_others_go_on_beside_a_runaway(grader, module_loop) -> None:
    async def grade() -> list[bool]:
        runaway = asyncio.create_task(grader.is_right("x+9^{9^{9^{9}}}", "x^2+1"))
        verdicts = [await grader.is_right(f"x+{n}", f"{n}+x") for n in range(5)]
        assert runaway.cancel()
        return verdicts

    assert module_loop.run_until_complete(grade()) == [True] * 5


def test_more_runaways_than_workers_end_too(hasty, module_loop) -> None:
    async def grade() -> list[bool]:
        runaways = (hasty.is_right(f"{n}+9^{{9^{{9^{{9}}}}}}", "x^2") for n in range(4))
        wrong = await asyncio.gather(*runaways)
        # On a busy machine half a second may be too little even for that.
        while not await hasty.is_right("2x", "x+x"):
            pass
        return wrong

    assert module_loop.run_until_complete(grade()) == [False] * 4


def test_what_is_cancelled_is_ended_and_the_others_go_on(grader, module_loop) -> None:
    async def grade() -> list[bool]:
        tasks = [asyncio.create_task(grader.is_right("x+9^{9^{9^9}}", "x^2")) for _ in range(6)]
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        cancelled = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(error, asyncio.CancelledError) for error in cancelled)
        return await asyncio.gather(*(grader.is_right(f"x+{n}", f"{n}+x") for n in range(10)))

    assert module_loop.run_until_complete(grade()) == [True] * 10


def test_a_worker_that_is_killed_is_replaced(grader, module_loop) -> None:
    for worker in workers():
        worker.kill()
    verdicts = [module_loop.run_until_complete(grader.is_right("2x", "x+x")) for _ in range(20)]
    assert verdicts == [True] * 20


def test_a_thousand_at_once(grader, module_loop) -> None:
    async def grade() -> list[bool]:
        return await asyncio.gather(
            *(grader.is_right(f"x+{n}", f"{n - n % 2}+x") for n in range(1000))
        )

    verdicts = module_loop.run_until_complete(grade())
    assert verdicts == [n % 2 == 0 for n in range(1000)]


def test_ungradable_comes_through(grader, module_loop) -> None:
    with pytest.raises(Ungradable):
        module_loop.run_until_complete(grader.is_right("5", ""))


def test_it_works_in_an_event_loop_of_a_thread_and_leaves_nothing_behind() -> None:
    seen: list[bool] = []

    async def grade() -> None:
        async with Grader(workers=1) as grader:
            seen.append(await grader.is_right("2x", "x+x"))

    before = {process.pid for process in workers()}
    thread = threading.Thread(target=lambda: asyncio.run(grade()))
    thread.start()
    thread.join(PATIENCE_S)
    assert seen == [True]
    assert {process.pid for process in workers()} <= before


RUNAWAY = """
import asyncio
from racro.grading import Grader

async def main():
    async with Grader(workers=1, timeout_s=1) as grader:
        runaway = asyncio.create_task(grader.is_right("x+9^{9^{9^9}}", "x^2"))
        await asyncio.sleep(0)
        print(flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


def test_workers_do_not_outlive_a_process_that_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", RUNAWAY], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        below = psutil.Process(process.pid).children(recursive=True)
        process.kill()
    assert len(below) >= 3
    wait_until(lambda: not any(map(alive, below)), what="the end of its workers")


def alive(process: psutil.Process) -> bool:
    """A zombie is not: nobody may wait for orphans in a container."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_importing_it_loads_no_algebra() -> None:
    code = "import sys, racro.grading; print({'sympy', 'math_verify'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
