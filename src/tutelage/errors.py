"""The one error that is the user's to fix, and the hint that helps to fix it."""

import difflib
from collections.abc import Iterable


class BadInput(ValueError):
    """Something the user gave is wrong: what, where (file, row), and what to do, in one line.

    The command line prints it as `tutelage: <message>` and exits with 2. Anything that is not the user's to fix is
    left to be a traceback.
    """


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """Return ` Did you mean 'x'?` for the choice closest to `word`, or `""` when none is close.

    The leading space lets it follow a sentence. Case is ignored.
    """
    by_lower = {choice.lower(): choice for choice in choices}
    close = difflib.get_close_matches(word.lower(), by_lower, n=1)
    return f" Did you mean '{by_lower[close[0]]}'?" if close else ""
