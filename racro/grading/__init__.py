r"""Is a short answer right? The first of these rules that can tell decides.

1. **Options.** Where the problem has options, the letter decides, whatever stands behind it: `B`,
   `(b)`, `Option B` and `B. 12 cm` are the same, `A and C` are two letters unless it is exactly
   one option's text. Without a letter the answer has to be the text of the expected option and of
   no other. Without options `B` and `B. 12 cm` are the same too: many benchmarks have the options
   in the question's text.
2. **Numbers with units.** `1,200`, `1.2e3`, `1\frac12`, `$5`, `12.5 million` by their exact value;
   European ones where both separators tell (`1.234,5`), not `3,5`, which may be two numbers. Units
   are compared by name (`cm`, `\text{centimetres}`), with the prefixes of the SI (`kΩ`), and never
   converted: questions say which they want. One side may leave its unit out, though `1.5k` is
   not `1500 g`. `50%` is `0.5`, and `50` where a bare number is above 1. A name before it (`x = 5`)
   may be left out, but not be another.
3. **Rounding.** An expected decimal of two significant digits or more is met by what rounds to it
   (3.14: 3.1416, \pi), as VLMEvalKit does for MathVista; an answer may round an exact or longer
   value to six significant digits or more, as math-verify does for decimals. Nothing else is near
   enough.
4. **Lists, sets, tuples, intervals.** Item by item; in any order unless in (round) or [square]
   brackets. "5 or 6" names two candidates: wrong for `5`, right for `5 or 6`. `x = 5 or x = 6`
   is the list of the values of x, and `\pm 1` that of two values, joined by "and" or by "or";
   `5 \pm 0.1` is a measurement with its tolerance, and its ends are not it.
   Inequalities of one variable are the sets of its values: `x < 3` is `(-\infty, 3)`.
5. **Words.** Without case, leading article, quotes and punctuation. Plurals and synonyms differ,
   other signs between words count, and so does the case of symbols: `Co`, `CO`.
6. **Algebra.** What reads as one formula goes to math-verify, both ways round; one that is a number
   for every x (`\sin^2 x + \cos^2 x`) is that number, but no quotient or power that may make no
   sense for one: `\frac{x}{x}` is not 1. Ranges, dates, scores, sizes and numbers with a base
   (`10-20`, `2 \times 3`, `101_2`) are no formulas.

Wherever these are in doubt the answer is wrong: a reward for wrong answers teaches nonsense.
Sources: math-verify 0.9; VLMEvalKit's scoring of MathVista and MathVision.
"""

from racro.grading.pool import Grader
from racro.grading.rules import Ungradable, is_right

__all__ = ["Grader", "Ungradable", "is_right"]
