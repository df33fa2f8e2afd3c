"""The judge that is told the truth."""

import pytest

from tutelage.judges.oracle import Oracle
from tutelage.triplet import Part, Verdict


class Knows:
    """Marks by the first letter of the triplet's id."""

    def rate(self, triplets):
        marks = {"a": (1.0, 1.0), "b": (0.5, 0.5), "c": (0.0, 1.0), "d": "nobody knows"}
        return [marks[triplet.id[0]] for triplet in triplets]


def test_the_score_is_the_root_of_the_product(make_triplet) -> None:
    verdicts = Oracle(rater=Knows()).judge([make_triplet(key) for key in "abcd"])
    assert [verdict.score for verdict in verdicts] == [1.0, 0.5, 0.0, None]
    assert [verdict.keep for verdict in verdicts] == [True, False, False, False]
    assert verdicts[2].parts == (Part(name="SC", score=0.0), Part(name="PQ", score=1.0))
    assert verdicts[1].reason == "SC 0.50 and PQ 0.50: 0.50 is below 1"
    assert verdicts[3] == Verdict(triplet="d/0/0", judge="oracle", score=None, keep=False, reason="nobody knows")


def test_the_threshold_decides(make_triplet) -> None:
    [verdict] = Oracle(rater=Knows(), threshold=0.5).judge([make_triplet("b")])
    assert verdict.keep


@pytest.mark.parametrize(
    ("fault", "says"), [({"target": b"x"}, "target: picture is no"), ({"references": ()}, "no references")]
)
def test_what_cannot_be_seen_is_not_asked_about(make_triplet, fault: dict, says: str) -> None:
    broken, sound = Oracle(rater=Knows()).judge([make_triplet("b", **fault), make_triplet("a")])
    assert broken.score is None
    assert broken.reason.startswith(says)
    assert sound.score == 1.0
