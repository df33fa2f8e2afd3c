"""A person's word about a triplet: it stands beside the judges', is what counts, and is never written over."""

from pathlib import Path
from typing import Final

from tutelage.corpus.gate import PERSON
from tutelage.corpus.writer import Committer
from tutelage.errors import BadInput
from tutelage.triplet import Verdict

MOST_LETTERS: Final = 500


def judge_by_hand(corpus: Path, triplet: str, keep: bool, reason: str, said: list[Verdict]) -> Verdict:
    """Accept or reject a triplet and keep why; what was `said` of it so far decides whether that is still open.

    Raises:
        BadInput: a person has judged it, a rejection has no reason, or the corpus cannot be written now.
    """
    before = next((verdict for verdict in said if verdict.judge == PERSON), None)
    if before is not None:
        raise BadInput(
            f"a person has {'accepted' if before.keep else 'rejected'} it already; verdicts are never replaced"
        )
    words = " ".join(reason.split())[:MOST_LETTERS]
    if not keep and not words:
        raise BadInput("say why it is rejected: the reason is kept with it")
    verdict = Verdict(
        triplet=triplet,
        judge=PERSON,
        score=1.0 if keep else 0.0,
        keep=keep,
        reason="" if keep else words,
        words=words if keep else "",
    )
    try:
        with Committer(corpus) as committer:
            committer.append([], [verdict])
    except OSError as error:
        raise BadInput(f"the corpus cannot be written ({error.strerror}); nothing was kept") from error
    return verdict
