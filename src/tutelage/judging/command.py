"""`tutelage judge`: adds the verdicts of further judges to a corpus, or goes on adding them."""

import dataclasses
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import tyro

from tutelage.errors import BadInput
from tutelage.judges import judge as class_of
from tutelage.judges.oracle import Oracle

if TYPE_CHECKING:
    from tutelage.corpus.reader import Corpus
    from tutelage.judges.base import Judge
    from tutelage.judges.panel import Panel
    from tutelage.triplet import Verdict


@dataclass(frozen=True, kw_only=True)
class Judging:
    """Which corpus, and who judges it. The class that `for_flags` makes has a field more for each judge."""

    corpus: tyro.conf.Positional[Path]
    """Folder of the corpus."""
    panel: tuple[str, ...]
    """Names of the judges; each brings its own flags: `--panel likeness --likeness.network ...`."""
    skip_rejected: bool = False
    """Do not ask about what is rejected already: cheaper, but a threshold that is lowered later lets in what these
    judges never saw."""
    replace: bool = False
    """Remove what these judges said with other settings, and ask them anew."""
    batch: int = 64
    """Triplets judged at once."""

    def __post_init__(self) -> None:
        if self.batch < 1 or not self.panel:
            raise BadInput(f"batch is {self.batch} and the panel has {len(self.panel)} judges; give at least 1 of each")

    @classmethod
    def for_flags(cls, flags: Sequence[str]) -> type[Self]:
        """The class whose fields are the flags of the judges that are named after `--panel`.

        Raises:
            BadInput: there is no judge of a name, or it cannot be had from flags.
        """
        fields = [(_field(name), _seated(name)) for name in dict.fromkeys(_named(flags))]
        made: type[Self] = dataclasses.make_dataclass(cls.__name__, fields, bases=(cls,), frozen=True, kw_only=True)
        made.__doc__ = cls.__doc__
        return made

    def judges(self) -> "list[Judge]":
        """Those of the panel, with shipped names of networks turned into folders.

        Raises:
            BadInput: a network is neither shipped nor a folder nor a Hub id.
        """
        from tutelage.judging.settings import placed

        return [placed(getattr(self, _field(name))) for name in self.panel]


def judge_command(judging: Judging) -> None:
    """Add the verdicts of a panel of judges to a corpus; the cheap ones are asked first.

    What a judge has said already it is not asked again, so the same command resumes and takes in what a corpus has got
    since. A judge that comes back with other settings is refused; thresholds can be moved on reading instead.

    Raises:
        BadInput: there is no corpus, a process writes to it, a judge cannot be had, or it judged with other settings.
    """
    from tutelage.corpus import tables
    from tutelage.corpus.reader import Corpus
    from tutelage.corpus.writer import Committer
    from tutelage.judges.panel import Panel
    from tutelage.judging.settings import admit

    panel = Panel(judges=tuple(judging.judges()), ask_all=not judging.skip_rejected)
    tables.check(judging.corpus)  # a committer would make one
    with Committer(judging.corpus) as committer:
        admit(judging.corpus, panel.turns, replace=judging.replace)
        asked: Counter[str] = Counter()
        kept: Counter[str] = Counter()
        for verdicts in _judged(Corpus(judging.corpus), panel, judging.batch):
            committer.append((), verdicts)
            asked.update(verdict.judge for verdict in verdicts)
            kept.update(verdict.judge for verdict in verdicts if verdict.keep)
    for one in panel.turns:
        print(f"{one.name}: kept {kept[one.name]:,} of {asked[one.name]:,} that it had not judged")


def _judged(corpus: "Corpus", panel: "Panel", batch: int) -> "Iterator[list[Verdict]]":
    """Yield the verdicts on the triplets that there are now, batch by batch; rows whose verdicts are known are not
    read.
    """
    import numpy as np

    from tutelage.stages.progress import Progress

    ids = corpus.column("id")
    said, names = corpus.judges(ids), ids.to_pylist()
    everyone, nobody = corpus.rows(None), np.zeros(len(names), bool)
    seen = {one.name: said[one.name].seen if one.name in said else nobody for one in panel.turns}
    open_ = corpus.rows() if not panel.ask_all else everyone
    open_ = open_[~np.logical_and.reduce(list(seen.values()))[open_]]
    with Progress("triplets", len(open_), "triplets") as bar:
        for first in range(0, len(open_), batch):
            rows = open_[first : first + batch]
            known = {(names[row], name) for name, looked in seen.items() for row in rows if looked[row]}
            yield panel.judge(corpus.take(rows.tolist()), known)
            bar.advance(len(rows))


def _seated(name: str) -> type:
    """The class of a judge, if flags can make one."""
    if name == Oracle.name:
        raise BadInput(
            "the oracle must be told the truth; `tutelage bench judges` measures it, and `tutelage distill --labels "
            "oracle` makes a judge of it"
        )
    kind = class_of(name)
    assert isinstance(kind, type)
    return kind


def _named(flags: Sequence[str]) -> Iterator[str]:
    """The words after `--panel`, up to the next flag."""
    listing = False
    for flag in flags:
        if flag.startswith("-"):
            name, _, value = flag.partition("=")
            listing = name == "--panel" and not value
            yield from [value] if name == "--panel" and value else ()
        elif listing:
            yield flag


def _field(name: str) -> str:
    return name.replace("-", "_")
