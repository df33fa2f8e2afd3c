"""`tutelage bench checkpoints`: every shipped checkpoint measured on toys that no training has seen."""

import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from tutelage.benches import BENCHES, bench
from tutelage.benches.base import Row, Targets, print_table, write_json
from tutelage.errors import BadInput, did_you_mean

TARGETS: Final[Targets] = {
    ("toybox-clip", "picture to caption", "top-1"): 0.90,
    ("toybox-clip", "caption to picture", "top-1"): 0.90,
    ("toybox-clip", "scene", "accuracy"): 0.95,
    ("toybox-clip", "accessory", "accuracy"): 0.95,
    ("toybox-clip", "style", "accuracy"): 0.95,
    ("toybox-dino", "photo", "AUC"): 0.98,
    ("toybox-sd", "codec", "PSNR dB"): 28.0,
    ("toybox-sd", "full captions: all", "read back"): 0.90,
    ("toybox-sd", "short captions: all", "read back"): 0.90,
    ("toybox-seg", "mean of labels", "IoU"): 0.90,
    ("toybox-seg", "toy", "IoU"): 0.90,
}
"""What the checkpoints must reach."""


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
    seg: str = "toybox-seg",
    reader: str = "toybox-reader",
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
        seg: Segmenter.
        reader: Attribute reader, which also reads the generator's pictures.

    Raises:
        BadInput: an argument is wrong or a checkpoint cannot be loaded.
    """
    names = _chosen(only)
    _check(items, seed, workers, json)
    given = {"toybox-clip": clip, "toybox-dino": dino, "toybox-sd": sd, "toybox-seg": seg, "toybox-reader": reader}
    hashes = _hashes({name: given[name] for name in given if name in names or _reads(name, names)})
    rows: list[Row] = []
    for name in names:
        started = time.monotonic()
        options = {"reader": reader} if name == "toybox-sd" else {}
        made = bench(name)(checkpoint=given[name], items=items, seed=seed, device=device, workers=workers, **options)
        rows += (measured := made.run())
        print_table(measured, TARGETS)
        used = {key: hashes[key] for key in given if key == name or (key in hashes and _reads(key, [name]))}
        print(_footer(used, given, seed, time.monotonic() - started))
        if json is not None:  # after every bench, so that stopping keeps what is finished
            write_json(rows, json)


def _reads(name: str, names: Sequence[str]) -> bool:
    """Whether checkpoint `name` is a measuring tool of one of the benches."""
    return name == "toybox-reader" and "toybox-sd" in names


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


def _hashes(checkpoints: Mapping[str, str]) -> dict[str, str]:
    """Hash of every checkpoint; finds out what is absent before minutes are spent on what is there."""
    from tutelage.diffusion.load import weights_hash
    from tutelage.toybox.vision import folder_of

    return {name: weights_hash(folder_of(where)) for name, where in checkpoints.items()}


def _footer(hashes: Mapping[str, str], given: Mapping[str, str], seed: int, seconds: float) -> str:
    models = ", ".join(f"{given[name]} (sha256 {hashes[name]})" for name in hashes)
    return f"{models}; seed {seed}; {seconds:.0f} s\n"
