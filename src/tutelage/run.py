"""The run directory: the settings a run was started with, its log, and files that are whole or not there.

`config.json` is written once, when a run starts, and guards every later start: resuming with other settings would
give a result that no settings describe. `log.jsonl` takes one row a line and survives being killed mid-line.
"""

import dataclasses
import enum
import json
import math
import os
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Final

from tutelage import __version__
from tutelage.errors import BadInput

CONFIG: Final = "config.json"
LOG: Final = "log.jsonl"

FREE: Final[Mapping[str, str]] = {"resume": "free"}
"""Metadata of a config field that may change when a run resumes: `field(default=..., metadata=FREE)`."""


_RECIPE: Final[ContextVar[str]] = ContextVar("recipe", default="")


@contextmanager
def run_as(recipe: str) -> Iterator[None]:
    """Give the run directories opened inside this recipe's name; a config does not know under which name it was run."""
    token = _RECIPE.set(recipe)
    try:
        yield
    finally:
        _RECIPE.reset(token)


def open_run(config: Any, out: Path) -> Path:
    """Make `out` the run directory of `config`, a dataclass, and return it; call again with the same config to resume.

    The first call writes `config.json`: the recipe's name (see `run_as`; without it, the name of the config's class),
    the version of tutelage and every field. A later call compares: fields marked `FREE`, such as the device, may
    differ, as may the path of the folder itself. A field that the run is too old to know must have its default, which
    therefore has to mean what runs did before there was the field.

    Raises:
        BadInput: `out` cannot be made, or holds other things and no run, or holds a run whose config differs.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"{out} cannot be made a folder ({error.strerror}); give another one for the run") from error
    path, settings = out / CONFIG, plain(config)
    if path.exists():
        _refuse_difference(config, settings, _stored_settings(path), out)
        return out
    if any(not entry.name.startswith(".") for entry in out.iterdir()):
        raise BadInput(f"{out} is not empty and holds no {CONFIG}; give a new folder for the run")
    header = {"recipe": _RECIPE.get() or type(config).__name__, "tutelage": __version__, "config": settings}
    write_atomic(path, (json.dumps(header, indent=2, ensure_ascii=False) + "\n").encode())
    return out


def write_atomic(path: Path, data: bytes) -> None:
    """Write `data` to `path` so that a reader, or a restart after a kill, sees the old bytes or all of the new ones."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with draft.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())  # else a power cut may keep the new name and lose the bytes
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def append_log(out: Path, row: Mapping[str, Any], *, durable: bool = False) -> None:
    """Add one row to the run's `log.jsonl` and flush it; a line torn by a kill is cut off first.

    A `durable` row is on the disk when this returns, whatever happens to the machine. One process writes a log at a
    time; any number may read it meanwhile.
    """
    line = json.dumps(plain(row), ensure_ascii=False) + "\n"
    with (out / LOG).open("a+b") as file:
        _cut_torn_line(file.fileno())
        file.write(line.encode())
        if durable:
            file.flush()
            os.fsync(file.fileno())


def take_steps(out: Path, steps: Mapping[str, Callable[[], Mapping[str, int]]]) -> None:
    """Take the steps of a run in order; what each counts, and its seconds, are logged, and the counts printed."""
    for stage, work in steps.items():
        started = time.monotonic()
        counts = work()
        append_log(out, {"stage": stage, **counts, "seconds": time.monotonic() - started, "time": time.time()})
        print(f"{stage}: {', '.join(f'{value:,} {name}' for name, value in counts.items())}")


def read_log(out: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of the run's `log.jsonl`, oldest first; none when there is no log yet.

    A last line without its line feed was torn by a kill, or is being written now: it is left out.

    Raises:
        BadInput: any other line is not a row; the message names the file and the line.
    """
    path = out / LOG
    if not path.exists():
        return
    with path.open(encoding="utf-8", errors="replace", newline="\n") as file:
        for number, line in enumerate(file, start=1):
            if line.endswith("\n"):
                yield _row(line, path, number)


def plain(value: Any) -> Any:
    """Return `value` as what JSON can hold.

    Dataclasses and mappings become dicts, sequences lists, paths strings (with `/`), enums their values, numbers of
    NumPy and PyTorch Python's; numbers that are not finite become `"nan"`, `"inf"` and `"-inf"`, since JSON has none.

    Raises:
        TypeError: `value` is none of these, so it has no business in a config or a log.
    """
    if isinstance(value, enum.Enum):
        return plain(value.value)
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Path):
        return value.as_posix()
    return _plain_container(value)


def _plain_container(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(plain(item) for item in value)
    if getattr(value, "ndim", None) == 0:
        return plain(value.item())
    raise TypeError(f"{type(value).__name__} has no plain JSON form: {value!r}")


def _stored_settings(path: Path) -> dict[str, Any]:
    try:
        settings = json.loads(path.read_bytes())["config"]
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{path} is not a run's config ({error}); give a new folder for the run") from error
    if not isinstance(settings, dict):
        raise BadInput(f"{path} is not a run's config; give a new folder for the run")
    return settings


def _refuse_difference(config: Any, new: dict[str, Any], old: dict[str, Any], out: Path) -> None:
    first = next(_differences(config, new, old, out.as_posix()), None)
    if first is None:
        return
    name, now, then = first
    raise BadInput(
        f"{out / CONFIG}: this run was started with {name} = {then}, not {now}; "
        "give the same settings to resume it, or another folder to start anew"
    )


def _differences(
    config: Any, new: Mapping[str, Any], old: Mapping[str, Any], here: str, prefix: str = ""
) -> Iterator[tuple[str, str, str]]:
    """Yield (dotted name, value now, value then) for each field that must not differ and does."""
    for field in dataclasses.fields(config):
        value, now = getattr(config, field.name), new[field.name]
        then = old.get(field.name, _ABSENT)
        if field.metadata.get("resume") == "free" or now == then or (now == here and not prefix):
            continue
        if then is _ABSENT and value == _default(field):
            continue
        if dataclasses.is_dataclass(value) and isinstance(then, dict):
            yield from _differences(value, now, then, here, f"{prefix}{field.name}.")
        else:
            yield f"{prefix}{field.name}", _shown(now), _shown(then)
    for name in sorted(old.keys() - new.keys()):
        yield f"{prefix}{name}", "absent", _shown(old[name])


def _default(field: "dataclasses.Field[Any]") -> Any:
    made = field.default_factory
    return field.default if made is dataclasses.MISSING else made()


_ABSENT: Final = object()


def _shown(value: Any) -> str:
    return "absent" if value is _ABSENT else json.dumps(value, ensure_ascii=False)


def _row(line: str, path: Path, number: int) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise BadInput(f"{path}, line {number}: not JSON ({error}); remove the line") from error
    if not isinstance(row, dict):
        raise BadInput(f"{path}, line {number}: not a row of named values; remove the line")
    return row


def _cut_torn_line(descriptor: int) -> None:
    """Truncate the file after its last line feed, looking backwards one block at a time."""
    end = os.fstat(descriptor).st_size
    block = 4096
    cut = end
    while cut > 0:
        start = max(0, cut - block)
        os.lseek(descriptor, start, os.SEEK_SET)
        at = os.read(descriptor, cut - start).rfind(b"\n")
        if at >= 0:
            cut = start + at + 1
            break
        cut = start
    if cut < end:
        os.ftruncate(descriptor, cut)
