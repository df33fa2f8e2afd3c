"""With what settings a judge weighed a corpus: written beside it, so that one judge's scores are of one kind."""

import dataclasses
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, get_type_hints

from tutelage.corpus import tables
from tutelage.errors import BadInput
from tutelage.judges.base import Judge
from tutelage.run import plain, write_atomic
from tutelage.toybox.checkpoints import checkpoint

JUDGES: Final = "judges.json"
"""Judge → its settings, in the folder of the corpus."""
NO_MATTER: Final = ("batch", "device")
"""Settings that do not change a score, besides those that a judge marks `FREE`."""


def placed(judge: Any) -> Any:
    """The judge with shipped names of networks turned into folders.

    Raises:
        BadInput: a network is neither shipped nor a folder nor a Hub id.
    """
    named = {name: getattr(judge, name) for name in _networks(judge)}
    return dataclasses.replace(
        judge, **{name: checkpoint(str(network)) for name, network in named.items() if network is not None}
    )


def admit(corpus: Path, judges: Iterable[Judge], *, replace: bool = False) -> None:
    """Write down with what settings judges are about to weigh a corpus; the caller holds its lock.

    With `replace` what they said with other settings is removed first.

    Raises:
        BadInput: one of them weighed it with other settings, or with some that nobody wrote down.
    """
    file = corpus / JUDGES
    known: dict[str, Any] = json.loads(file.read_bytes()) if file.exists() else {}
    judged = tables.values(corpus, "verdicts", "judge")
    for judge in judges:
        settings, before = described(judge), known.get(judge.name)
        if judge.name in judged and settings != before:
            if not replace:
                raise BadInput(_refusal(corpus, judge.name, settings, before))
            tables.delete(corpus, "verdicts", "judge", [judge.name])
        known[judge.name] = settings
    write_atomic(file, f"{json.dumps(known, indent=2, ensure_ascii=False)}\n".encode())


def described(judge: Any) -> dict[str, Any]:
    """A judge's settings; networks by the hash of their weights, wherever they are.

    Raises:
        BadInput: a network cannot be had.
    """
    free = {field.name for field in dataclasses.fields(judge) if field.metadata.get("resume") == "free"}
    settings: dict[str, Any] = {name: told for name, told in plain(judge).items() if name not in free.union(NO_MATTER)}
    return settings | {name: judge.weights for name in _networks(judge)}  # noqa: C420 - some judges have no weights


def _networks(judge: Any) -> list[str]:
    """Fields that name a network, if it has one."""
    kinds = get_type_hints(type(judge))
    return [name for name, kind in kinds.items() if kind in (str | Path, str | Path | None)]


def _refusal(corpus: Path, name: str, now: dict[str, Any], before: dict[str, Any] | None) -> str:
    if before is None:
        what = "holds verdicts of it with settings that nobody wrote down"
    else:
        field = next(field for field in now if now[field] != before.get(field))
        what = f"was judged with {field} = {json.dumps(before.get(field))}, not {json.dumps(now[field])}"
    return f"{name}: {corpus} {what}; thresholds can be moved on reading, and --replace asks it anew"
