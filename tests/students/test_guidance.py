import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutelage.errors import BadInput
from tutelage.students.guidance import BOTH, NOTHING, REFERENCES, TEXT, Chain, Interleaved, Link, TwoWeights, Within

CONDITIONS = st.sampled_from([NOTHING, TEXT, REFERENCES, BOTH])
WEIGHTS = st.sampled_from([0.0, 0.5, 1.0, 3.0, 7.5])
CHAINS = st.builds(Chain, CONDITIONS, st.lists(st.builds(Link, CONDITIONS, WEIGHTS), max_size=4).map(tuple))
SAID = {NOTHING: 1.0, TEXT: 2.5, REFERENCES: -0.75, BOTH: 4.0}


def follow(chain, said):
    at = guided = said[chain.start]
    for condition, weight in chain.links:
        guided, at = guided + weight * (said[condition] - at), said[condition]
    return guided


@given(CHAINS, st.booleans())
def test_the_short_way_ends_where_the_long_one_does(chain, has_references):
    said = SAID if has_references else {c: SAID[c._replace(references=False)] for c in SAID}
    short = chain.shortened(has_references)
    assert follow(short, said) == pytest.approx(follow(chain, said))
    assert len(short.conditions) <= len(chain.conditions)
    assert has_references or not any(condition.references for condition in short.conditions)


def test_two_weights_is_its_formula():
    chain = TwoWeights(text=7.5, references=2.0).chain(0.0, 0.5).shortened(True)
    nothing, text, both = SAID[NOTHING], SAID[TEXT], SAID[BOTH]
    assert follow(chain, SAID) == nothing + 7.5 * (text - nothing) + 2.0 * (both - text)
    assert chain.conditions == (NOTHING, TEXT, BOTH)


def test_equal_weights_cost_two_evaluations():
    chain = TwoWeights(text=4, references=4).chain(0.0, 0.5).shortened(True)
    assert chain == Chain(NOTHING, (Link(BOTH, 4),))


@pytest.mark.parametrize("references", [0.0, 1.0, 4.0])
def test_without_references_it_is_ordinary_guidance(references):
    chain = TwoWeights(text=5, references=references).chain(0.0, 0.5).shortened(False)
    assert chain == Chain(NOTHING, (Link(TEXT, 5),))


def test_weight_one_is_no_guidance():
    assert TwoWeights(text=1, references=1).chain(0.0, 0.5).shortened(True) == Chain(BOTH, ())
    assert TwoWeights(text=1, references=3).chain(0.0, 0.5).shortened(True) == Chain(TEXT, (Link(BOTH, 3),))


def test_interleaved_takes_turns():
    guidance = Interleaved(text=6, references=3, ratio=0.25)
    assert guidance.chain(0.2, 0.5) == Chain(REFERENCES, (Link(BOTH, 6),))
    assert guidance.chain(0.25, 0.5) == Chain(TEXT, (Link(BOTH, 3),))
    assert guidance.chain(0.9, 0.5).shortened(False) == Chain(TEXT, ())


@pytest.mark.parametrize("kind", [TwoWeights, Interleaved])
@pytest.mark.parametrize("wrong", [{"text": -1}, {"references": math.inf}, {"text": math.nan}])
def test_weights_have_limits(kind, wrong):
    with pytest.raises(BadInput, match=f"guidance for {next(iter(wrong))}"):
        kind(**wrong)


@pytest.mark.parametrize("ratio", [-0.1, 1.1, math.nan])
def test_ratios_have_limits(ratio):
    with pytest.raises(BadInput, match="ratio"):
        Interleaved(ratio=ratio)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_guidance_is_within_its_interval(time, a, b):
    start, stop = max(a, b), min(a, b)
    guidance = TwoWeights(text=3, references=3)
    chain = Within(guidance=guidance, start=start, stop=stop).chain(0.0, time).shortened(True)
    assert chain == (Chain(NOTHING, (Link(BOTH, 3),)) if stop <= time <= start else Chain(BOTH, ()))


def test_what_is_not_followed_is_not_followed_outside_the_interval_either():
    chain = Within(guidance=TwoWeights(text=3, references=0), start=0.5).chain(0.0, 0.9)
    assert chain.shortened(True) == Chain(TEXT, ())


@pytest.mark.parametrize(("start", "stop"), [(0.2, 0.3), (1.1, 0.0), (1.0, -0.1), (math.nan, 0.0)])
def test_intervals_have_limits(start, stop):
    with pytest.raises(BadInput, match="from 1 down to 0"):
        Within(guidance=TwoWeights(), start=start, stop=stop)
