"""`tutelage bench checkpoints`: every shipped checkpoint measured on toys that no training has seen."""

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from tutelage.benches import BENCHES, bench
from tutelage.benches.base import BENCH, Row, Targets, print_table, write_json
from tutelage.benches.cards import write_figures
from tutelage.errors import BadInput, did_you_mean

TARGETS: Final[Targets] = {
    (BENCH, "toybox-clip", "top-1: picture to caption"): 0.90,
    (BENCH, "toybox-clip", "top-1: caption to picture"): 0.90,
    (BENCH, "toybox-clip", "accuracy: scene"): 0.95,
    (BENCH, "toybox-clip", "accuracy: accessory"): 0.95,
    (BENCH, "toybox-clip", "accuracy: style"): 0.95,
    (BENCH, "toybox-dino", "AUC: photo"): 0.98,
    (BENCH, "toybox-sd", "PSNR dB: codec"): 28.0,
    (BENCH, "toybox-sd", "read back, full captions: all"): 0.90,
    (BENCH, "toybox-sd", "read back, short captions: all"): 0.90,
    (BENCH, "toybox-seg", "IoU: mean of labels"): 0.90,
    (BENCH, "toybox-seg", "IoU: toy"): 0.90,
}
"""What the checkpoints must reach."""

TOOLS: Final[Mapping[str, tuple[str, ...]]] = {"toybox-sd": ("toybox-reader",), "toybox-dit": ("toybox-reader",)}
"""Bench → the checkpoints it measures with."""


def bench_command(
    *,
    json: Path | None = None,
    items: float = 1.0,
    only: tuple[str, ...] = (),
    seed: int = 0,
    device: str = "auto",
    workers: int = 2,
    clip: str = "toybox-clip",
    dino: str = "toybox-dino",
    sd: str = "toybox-sd",
    dit: str = "toybox-dit",
    seg: str = "toybox-seg",
    reader: str = "toybox-reader",
    tagger: str = "toybox-tagger",
    cards: bool = False,
) -> None:
    """Measure checkpoints on held-out toys and print the figures beside the ones they must reach.

    The modules under tutelage/benches say what each protocol is.

    Args:
        json: File to write the rows to as well.
        items: Scale of all counts; 0.1 is a quick look with wide intervals.
        only: Benches to run, such as toybox-clip; all by default.
        seed: Of the toys, the noise and the resamples.
        device: auto, cpu, cuda, cuda:1, ... or mps.
        workers: Processes that render.
        clip: CLIP to measure: a shipped name, a folder or a Hub id; likewise the others.
        dino: Identity features.
        sd: Generator.
        dit: Generator with a transformer.
        seg: Segmenter.
        reader: Attribute reader, which also reads the generator's pictures.
        tagger: Classifier that a judge reads pictures with.
        cards: Write the figures into the model cards of the folders measured.

    Raises:
        BadInput: an argument is wrong or a checkpoint cannot be loaded.
    """
    names = _chosen(only)
    _check(items, seed, workers, json)
    given = {
        "toybox-clip": clip,
        "toybox-dino": dino,
        "toybox-sd": sd,
        "toybox-dit": dit,
        "toybox-seg": seg,
        "toybox-reader": reader,
        "toybox-tagger": tagger,
    }
    used = {name: {key: where for key, where in given.items() if key in (name, *TOOLS.get(name, ()))} for name in names}
    hashes = _hashes({where for models in used.values() for where in models.values()})
    from tutelage.toybox.vision import folder_of

    rows: list[Row] = []
    for name, models in used.items():
        started = time.monotonic()
        tools = {key.removeprefix("toybox-"): models[key] for key in TOOLS.get(name, ())}
        made = bench(name)(checkpoint=given[name], items=items, seed=seed, device=device, workers=workers, **tools)
        rows += (measured := made.run())
        print_table(measured, TARGETS)
        print(_footer({where: hashes[where] for where in models.values()}, seed, time.monotonic() - started))
        if json is not None:  # after every bench, so that stopping keeps what is finished
            write_json(rows, json)
        if cards:
            write_figures(Path(folder_of(given[name])), measured, f"tutelage bench checkpoints --items {items:g}")


def _chosen(only: Sequence[str]) -> list[str]:
    for name in only:
        if name not in BENCHES:
            raise BadInput(f"--only {name}: no such bench.{did_you_mean(name, BENCHES)} There are {', '.join(BENCHES)}")
    return [name for name in BENCHES if not only or name in only]


def _check(items: float, seed: int, workers: int, json: Path | None) -> None:
    if not 0 < items < math.inf:
        raise BadInput(f"--items {items}: the scale of the counts is above 0; choose e.g. 0.1")
    if not 0 <= seed < 2**63:
        raise BadInput(f"--seed {seed} is not within 0 to 2**63 - 1")
    if workers < 1:
        raise BadInput(f"--workers {workers}: give at least 1")
    if json is not None and (json.is_dir() or not json.absolute().parent.is_dir()):
        raise BadInput(f"--json {json}: give a file in a folder that exists")


def _hashes(models: Iterable[str]) -> dict[str, str]:
    """Hash of every model; finds out what is absent before minutes are spent on what is there."""
    from tutelage.diffusion.load import weights_hash
    from tutelage.toybox.vision import folder_of

    return {where: weights_hash(folder_of(where)) for where in models}


def _footer(hashes: Mapping[str, str], seed: int, seconds: float) -> str:
    models = ", ".join(f"{where} (sha256 {digest})" for where, digest in hashes.items())
    return f"{models}; seed {seed}; {seconds:.0f} s\n"
