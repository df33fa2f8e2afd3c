"""Every ratio of performance in one table: each benchmark in a process of its own, one after another.

make bench                                     # all of them as they are by default: an hour and more on two cores
python benchmarks/table.py --only fleet_against_one --json ratios.json
python benchmarks/table.py --quick             # do they run? The figures of so few repeats mean nothing
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import tyro

from tutelage.benches.base import Row, progress
from tutelage.benches.ratios import report
from tutelage.errors import BadInput, did_you_mean

FLEET: Final = ("--experts", "2", "--steps", "2", "--repeats", "1")
BENCHMARKS: Final[Mapping[str, Sequence[str]]] = {
    "fleet_against_stock": FLEET,
    "fleet_against_one": FLEET,
    "fleet_adapters": FLEET,
    "fleet_sameness": FLEET,
    "warm_start": ("--experts", "2", "--finished", "2", "--points", "1", "2"),
    "experts": ("--kinds", "fleet", "--toys", "1", "--renders", "40", "--repeats", "1", "--together", "1"),
    "student_against_expert": ("--steps", "1", "--repeats", "1"),
    "student_sampling": ("--steps", "1", "--repeats", "1"),
    "judging": ("--toys", "2", "--repeats", "1"),
    "pipeline": ("--experts", "2", "--prompts", "2", "--steps", "2", "--repeats", "1"),
    "corpus": ("--rows", "400", "--seconds", "0.2", "--repeats", "1"),
    "mining": ("--pages", "2000", "--repeats", "1"),
    "executors": ("--shards", "4", "--seconds", "0.1", "--empty", "10", "--repeats", "1"),
}
"""File → its flags for a quick try."""
NEEDS: Final[Mapping[str, str]] = {"executors": "ray"}
"""File → what else has to be installed, which is an extra of this package."""


def main(*, only: tuple[str, ...] = (), quick: bool = False, json: Path | None = None) -> None:
    """Run them and print one table.

    Args:
        only: Names of some; by default all.
        quick: Run each as briefly as it can be.
        json: File to write the rows to.

    Raises:
        BadInput: there is no benchmark of a name.
    """
    for name in only:
        if name not in BENCHMARKS:
            raise BadInput(f"no benchmark '{name}'.{did_you_mean(name, BENCHMARKS)} There are {', '.join(BENCHMARKS)}")
    names = [name for name in only or BENCHMARKS if installed(name)]
    rows = [row for name in progress(names, "benchmarks", len(names)) for row in measured(name, quick)]
    report(rows, json)


def installed(name: str) -> bool:
    """Whether a benchmark can run here; if not, stderr says why."""
    package = NEEDS.get(name, "")
    if not package or find_spec(package):
        return True
    print(f"{name} is left out, for it needs {package}: pip install 'tutelage[{package}]'", file=sys.stderr)
    return False


def measured(name: str, quick: bool) -> list[Row]:
    """The rows of one benchmark; what it prints goes to stderr."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.json"
        flags = [*(BENCHMARKS[name] if quick else ()), "--json", str(file)]
        script = Path(__file__).with_name(f"{name}.py")
        subprocess.run([sys.executable, script, *flags], check=True, stdout=sys.stderr)
        return [Row(**row) for row in json.loads(file.read_text())]


if __name__ == "__main__":
    try:
        tyro.cli(main)
    except BadInput as error:
        sys.exit(f"benchmarks: {error}")
