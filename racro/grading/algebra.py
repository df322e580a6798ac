"""Formulas by math-verify. Its work has no bound: answers of models go through a `Grader`.

Importing this takes a second; nothing else imports math-verify.
"""

import logging
import re
from fractions import Fraction
from typing import Any

from latex2sympy2_extended import NormalizationConfig
from latex2sympy2_extended.latex2sympy2 import ConversionConfig, latex2sympy
from math_verify import verify
from math_verify.grader import should_treat_as_complex
from sympy import Expr, Rational, Symbol, simplify

from racro.grading.quantities import Quantity, quantity, same_value

# It warns of having no timeout: the process pool has one.
logging.getLogger("math_verify").setLevel(logging.ERROR)
_DIGITS = 20

# Units, texts and boxes are gone before; a formula that needs mending is no formula.
_NORMAL = NormalizationConfig(
    basic_latex=True, units=False, malformed_operators=False, nits=False, boxed="none"
)
# math-verify's own `parse` takes R for r.
_CASED = ConversionConfig(lowercase_symbols=False)
_CAPITAL = re.compile("[A-Z]")
# What is no name of a variable.
_COMMAND = re.compile(r"\\(?!theta|alpha|beta|gamma|phi|omega)[A-Za-z]+")
# Other letters than those of Euler's number and of the imaginary unit.
_VARIABLE = re.compile(r"[A-Za-df-hj-z]")
_QUOTIENT = re.compile(r"\\frac|/|\^\s*\{?\s*[-0]")
# An angle or a factor; sympy would have Euler's constant for both letters.
_GAMMA = re.compile(r"\\([Gg]amma)(?![a-z]|\s*_)")


def same_formula(answer: str, expected: str) -> bool:
    """Whether both are the same formula or number; False for what cannot be read."""
    ours, theirs = quantity(answer) or _read(answer), quantity(expected) or _read(expected)
    our_value, their_value = _value(ours), _value(theirs)
    our_value, their_value = (
        our_value or _constant(ours, their_value),
        their_value or _constant(theirs, our_value),
    )
    if our_value and their_value:
        undefined = _may_be_undefined(answer) or _may_be_undefined(expected)
        return same_value(our_value, their_value) and not undefined
    if any(side is None or isinstance(side, Quantity) for side in (ours, theirs)):
        return False
    # It follows the expected side's form, and takes `x + 1 = 5` for 5: both ways round it does not.
    return all(verify(*pair, timeout_seconds=None) for pair in ((theirs, ours), (ours, theirs)))


def _may_be_undefined(formula: str) -> bool:
    r"""Return whether variables may stand where a zero makes no sense, as in `\frac{x}{x}`, `x^0`.

    That is read off the text, as sympy cancels what it reads.
    """
    has_variables = _VARIABLE.search(_COMMAND.sub(" ", formula)) is not None
    return has_variables and _QUOTIENT.search(formula) is not None


def _read(formula: str) -> Any:
    try:
        read = latex2sympy(
            _GAMMA.sub(r"\\variable{\1}", formula),
            is_real=not should_treat_as_complex(formula),
            normalization_config=_NORMAL,
            conversion_config=_CASED,
        )
        return read.xreplace({symbol: _marked(symbol) for symbol in read.free_symbols})
    except Exception:  # noqa: BLE001 - its parser raises anything for what is no formula
        return None


def _marked(symbol: Symbol) -> Symbol:
    """Its capitals made to differ by more than case, which `verify` ignores in Delta and delta."""
    return Symbol(_CAPITAL.sub(r"\g<0>'", symbol.name), real=symbol.is_real)


def _value(formula: Any) -> Quantity | None:
    """Of a real number: much quicker than having one simplified that is not the other."""
    if isinstance(formula, Quantity):
        return formula
    if not isinstance(formula, Expr) or not formula.is_number:
        return None
    try:
        number = formula.evalf(_DIGITS + 5)
        value = Fraction(str(number)) if number.is_Float and number.is_finite else None
    except Exception:  # noqa: BLE001 - sympy raises anything for numbers that make no sense
        return None
    return None if value is None else Quantity(value, abs(value) / 10**_DIGITS, _DIGITS)


def _constant(formula: Any, value: Quantity | None) -> Quantity | None:
    r"""Return the number that a formula with variables is for each of their values, if it may be
    `value`: `\sin^2 x + \cos^2 x`. Most are ruled out by their value at one point.
    """
    if value is None or not isinstance(formula, Expr) or not formula.free_symbols:
        return None
    symbols = sorted(formula.free_symbols, key=str)
    point = {symbol: Rational(17 + 6 * place, 29) for place, symbol in enumerate(symbols)}
    there = _value(formula.subs(point))
    return _value(simplify(formula)) if there and same_value(there, value) else None


# The parser learns its grammar by reading; workers are forked off with what it learnt here.
for _formula in (
    r"\frac{\sqrt{3}}{2} + 2^{10}",
    r"y = 2x - \frac{a}{b}",
    r"(x + 1)^{2} \le -5",
    r"\sin \alpha \cdot 2\pi",
    r"(-\infty, 1) \cup [2, 3)",
):
    _read(_formula)
