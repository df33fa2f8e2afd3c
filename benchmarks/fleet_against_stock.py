"""R1: experts per hour, K trained at once, ÷ one at a time the way diffusers' DreamBooth-LoRA script does it.

    python benchmarks/fleet_against_stock.py                              # toybox-sd, a quarter of an hour
    python benchmarks/fleet_against_stock.py --base random/sd15 --steps 500 --lr 5e-4

Both train the same adapters on the same base with as many steps and pictures a step, in the same number format, and end
with a file of adapters for each subject. The two take turns.

*One at a time* is `stock_dreambooth_lora.py`, which says what it does and why that is fair: a process for each subject,
which imports, loads, encodes picture and prompt in every step, and saves. Its time is that of the whole process.

*At once* is a fleet in one process: it decodes and encodes every subject's pictures and captions once, trains, and
writes the adapters. R1 is that of the second fleet of a process: base loaded and kernels compiled, as they are
for all but the first of a run's fleets. The second row is the least favourable case: a process that is started, loads,
compiles, trains one fleet, and ends.
"""

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import fields
from pathlib import Path

import tyro
from fleet_subjects import Experts

from tutelage.benches.ratios import ratio_row, ratios, report
from tutelage.diffusion.sample import picture_size
from tutelage.teachers.fleet import Fleet
from tutelage.teachers.settings import Sampling

STOCK = Path(__file__).with_name("stock_dreambooth_lora.py")
OPTIONS = ("base", "experts", "steps", "rank", "lr", "dtype", "device")


def main(settings: Experts) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as where:
        folder = Path(where)
        instances(settings, folder)
        rows = [(stock(settings, folder, turn), *at_once(settings, folder, turn)) for turn in range(settings.repeats)]
    one, process, running = ([row[at] for row in rows] for at in range(3))
    count = settings.experts
    table = [
        ratio_row("R1", ratios([count * seconds for seconds in one], running)),
        ratio_row("R1, with one process a fleet", ratios([count * seconds for seconds in one], process)),
        ratio_row("stock script", one, "seconds an expert"),
        ratio_row(f"fleet of {count}", [seconds / count for seconds in running], "seconds an expert"),
    ]
    report(table, settings.json)


def instances(settings: Experts, folder: Path) -> None:
    """Write every subject's pictures to a folder of its own, as a user of the script has them."""
    for cluster in settings.clusters:
        (folder / "pictures" / cluster.id).mkdir(parents=True)
        for number, reference in enumerate(cluster.references):
            (folder / "pictures" / cluster.id / f"{number}.png").write_bytes(reference.picture.data)


def stock(settings: Experts, folder: Path, turn: int) -> float:
    """Seconds for one subject, another one every time."""
    cluster = settings.clusters[turn % settings.experts]
    side = max(picture_size(settings.model.pipeline, None))
    told = {"base": settings.folder, "instance": folder / "pictures" / cluster.id, "out": folder / f"stock-{turn}"}
    told |= {"prompt": f"a photo of a sks {cluster.subject}", "resolution": side, "steps": settings.steps, "batch": 1}
    told |= {"rank": settings.rank, "lr": settings.lr, "dtype": settings.dtype}
    flags = [word for name, value in told.items() for word in (f"--{name}", str(value))]
    flags.append("--convolutions" if settings.convolutions else "--no-convolutions")
    started = time.perf_counter()
    subprocess.run([sys.executable, STOCK, *flags], check=True, capture_output=True)
    seconds = time.perf_counter() - started
    assert list((folder / f"stock-{turn}").glob("*.safetensors"))
    return seconds


def at_once(settings: Experts, folder: Path, turn: int) -> tuple[float, float]:
    """Seconds for all: of a process with one fleet, and of its second fleet."""
    flags = [word for name in OPTIONS for word in (f"--{name}", str(getattr(settings, name)))]
    flags.append("--convolutions" if settings.convolutions else "--no-convolutions")
    kept = folder / f"fleet-{turn}"
    started = time.perf_counter()
    command = [sys.executable, __file__, "--one", str(kept), *flags]
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    whole = time.perf_counter() - started
    assert len(list(kept.glob("*/*/*.safetensors"))) == 2 * settings.experts
    second = json.loads(answer.splitlines()[-1])["second"]
    return whole - second, second


def two_fleets(settings: Experts, kept: Path) -> None:
    """Train a fleet and write its adapters, twice; print how long the second one took, as JSON."""
    from tutelage.teachers.adapter_files import AdapterFiles

    teacher = Fleet(
        base=settings.folder,
        size=settings.experts,
        training=settings.training(),
        sampling=Sampling(),
        lora=settings.lora,
        rare_token="sks",  # it is a word
        device=settings.device,
        dtype=settings.dtype,
    )
    clusters = settings.clusters

    def one_fleet(folder: Path) -> None:
        with teacher.trained(clusters, settings.experts) as (stack, experts), AdapterFiles(folder) as files:
            for done in experts:
                assert done.sound, "an expert diverged; give a lower --lr"
                files.write(clusters[done.number].id, stack, done.slot)

    one_fleet(kept / "first")
    started = time.perf_counter()
    one_fleet(kept / "second")
    print(json.dumps({"second": time.perf_counter() - started}))


if __name__ == "__main__":
    assert {*OPTIONS} <= {field.name for field in fields(Experts)}
    if sys.argv[1:2] == ["--one"]:
        two_fleets(tyro.cli(Experts, args=sys.argv[3:]), Path(sys.argv[2]))
    else:
        main(tyro.cli(Experts))
