"""Visual contexts have a share of the reasoner's context, and errors about it name the share."""

import pytest

from gateway.metrics import Stopwatch
from gateway.reasoning.budget import visual_tokens
from gateway.reasoning.reasoners import Reasoner
from gateway.reasoning.stage import ReasonStage
from gateway.tenancy.tenants import ANYBODY
from racro.contracts.errors import ContextLengthExceeded, UpstreamUnavailable
from racro.contracts.solve_api import VisualContext


def stage_of(reasoner: Reasoner, contexts: list[VisualContext]) -> ReasonStage:
    return ReasonStage(reasoner, contexts, Stopwatch(), reasoner.queue.ticket(ANYBODY))


def test_all_texts_of_all_contexts_count(a_context) -> None:
    contexts = [a_context("x" * 40), a_context("x" * 20, "x" * 20)]
    assert visual_tokens(contexts) == 20
    assert visual_tokens([]) == 0


def test_bytes_count_rather_than_characters(a_context) -> None:
    assert visual_tokens([a_context("日" * 40)]) == 3 * visual_tokens([a_context("x" * 40)])


def test_what_fits_the_budget_passes(a_reasoner, a_context) -> None:
    with stage_of(a_reasoner, [a_context("x" * 4 * 64)]):
        passed = True
    assert passed


def test_what_is_over_budget_is_refused_before_the_reasoner_is_asked(a_reasoner, a_context) -> None:
    with (
        pytest.raises(ContextLengthExceeded) as refusal,
        stage_of(a_reasoner, [a_context("x" * 4 * 40), a_context("x" * 4 * 25)]),
    ):
        pytest.fail("the reasoner was asked")
    assert refusal.value.message == (
        "the visual context takes about 65 tokens; visual_budget_tokens of 'default' = 64"
    )


def test_when_the_reasoner_says_it_is_too_long_the_share_is_named(a_reasoner, a_context) -> None:
    with (
        pytest.raises(ContextLengthExceeded) as refusal,
        stage_of(a_reasoner, [a_context("x" * 40)]),
    ):
        raise ContextLengthExceeded("9000 tokens are too many")
    assert refusal.value.message == (
        "9000 tokens are too many (the visual context takes about 10 tokens of it)"
    )


def test_without_a_visual_context_there_is_no_share_to_name(a_reasoner) -> None:
    with (
        pytest.raises(ContextLengthExceeded, match=r"^9000 tokens are too many$"),
        stage_of(a_reasoner, []),
    ):
        raise ContextLengthExceeded("9000 tokens are too many")


def test_other_errors_pass_unchanged(a_reasoner, a_context) -> None:
    with (
        pytest.raises(UpstreamUnavailable, match=r"^away$"),
        stage_of(a_reasoner, [a_context("x")]),
    ):
        raise UpstreamUnavailable("away")
