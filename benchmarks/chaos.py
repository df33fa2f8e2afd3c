"""Random kills of a run on a Ray cluster of this machine: of workers, of the one that writes, and of the driver.

    python benchmarks/chaos.py              # 200 kills, some twenty minutes on two cores
    python benchmarks/chaos.py --kills 8 --subjects 60

Teaching is simulated by a teacher that takes a moment and paints one colour; leases, committing and the corpus are what
every run uses. The kills (SIGKILL) are spread over the run: each waits until so much of it is done, and then for a
random moment. A killed driver is started again, as a user would. In the end the corpus must be, table by table and row
by row, what a run that nobody disturbs writes; if it is not, the exit status is 1.
"""

import hashlib
import io
import os
import random
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import psutil
import tyro
from PIL import Image

from tutelage.corpus import tables
from tutelage.corpus.reader import Corpus
from tutelage.executors.base import Executor
from tutelage.executors.local import Local
from tutelage.executors.ray import Ray
from tutelage.executors.ray_cluster import ALONE
from tutelage.judges.base import Cost
from tutelage.judges.panel import Panel
from tutelage.run import read_log
from tutelage.stages.taught import CORPUS, TAUGHT, teach
from tutelage.triplet import Assignment, Cluster, Picture, Provenance, Reference, Triplet, Verdict

CLUSTER = ALONE | {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
"""For all that starts or joins the cluster."""
VICTIMS = {"worker": 0.6, "writer": 0.2, "driver": 0.2}
"""Who is killed how often."""
PROMPTS = 3


@dataclass(frozen=True, kw_only=True)
class Painter:
    """A teacher: each target has a colour of its own."""

    seconds: float
    at_once: int = 2
    name: ClassVar[str] = "painter"

    def teach(self, assignments: Sequence[Assignment]) -> Iterator[Triplet]:
        """A moment, and then all triplets."""
        time.sleep(self.seconds)
        for one in assignments:
            yield Triplet(
                id=f"{one.id}/0",
                target=painted(one.id),
                text=one.text,
                references=one.cluster.references,
                subject=one.cluster.subject,
                skill=one.skill,
                cluster=one.cluster.id,
                provenance=Provenance(teacher=self.name, base="", seed=0),
            )


@dataclass(frozen=True, kw_only=True)
class Picky:
    """A judge that keeps two of three."""

    name: ClassVar[str] = "picky"
    cost: ClassVar[Cost] = Cost.READING

    def judge(self, triplets: Sequence[Triplet]) -> list[Verdict]:
        """By the target's bytes."""
        scores = [(one.id, hashlib.sha256(one.target).digest()[0] / 255) for one in triplets]
        return [
            Verdict(triplet=name, judge=self.name, score=score, keep=score > 1 / 3, reason="" if score > 1 / 3 else "x")
            for name, score in scores
        ]


def painted(name: str) -> bytes:
    """A PNG of one colour."""
    file = io.BytesIO()
    Image.new("RGB", (8, 8), tuple(hashlib.sha256(name.encode()).digest()[:3])).save(file, "PNG")
    return file.getvalue()


def assignments(subjects: int) -> Iterator[Assignment]:
    """Of subjects with two pictures each."""
    for number in range(subjects):
        key = f"{number:05d}"
        shown = tuple(Reference(picture=Picture(data=painted(f"{key} {at}"), url=f"{key}/{at}")) for at in range(2))
        cluster = Cluster(id=key, subject="toy", references=shown)
        for at in range(PROMPTS):
            yield Assignment(id=f"{key}/{at:02d}", cluster=cluster, text=f"a toy, {at}", skill="view")


def run(out: Path, subjects: int, seconds: float, executor: Executor) -> None:
    """Teach; what is done is not done again."""
    panel = Panel(judges=(Picky(),), ask_all=True)
    teach(assignments(subjects), subjects * PROMPTS, Painter(seconds=seconds), panel, out, executor)


def main(
    kills: int = 200, subjects: int = 1600, seconds: float = 0.1, workers: int = 2, seed: int = 0, drive: str = ""
) -> int:
    """Disturb a run and compare.

    Args:
        kills: How many.
        subjects: Two are a shard.
        seconds: Of a worker for a shard.
        workers: Actors.
        seed: Of who is killed, and when.
        drive: Folder and cluster of the run to work at; how this command starts itself.
    """
    if drive:
        folder, _, address = drive.rpartition("@")
        run(Path(folder), subjects, seconds, Ray(address=address, workers=workers))
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the cluster is ended as well
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        whole, cut = Path(folder) / "whole", Path(folder) / "cut"
        run(whole, subjects, 0.0, Local())
        started = time.monotonic()
        with cluster(Path(folder), workers) as (head, address):
            command = [sys.executable, __file__, "--subjects", str(subjects), "--seconds", str(seconds)]
            command += ["--workers", str(workers), "--drive", f"{cut}@{address}"]
            killed, starts = disturb(command, cut, head, kills, subjects // 2, random.Random(seed))
        print(f"{time.monotonic() - started:.0f} s, {starts} starts of the driver, kills: {dict(killed)}")
        return compare(whole, cut)


@contextmanager
def cluster(folder: Path, workers: int) -> Iterator[tuple[psutil.Process, str]]:
    """A Ray cluster of one machine, of its own; yields the process above it, and its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ray = Path(sys.executable).with_name("ray")
    flags = [f"--port={port}", "--node-ip-address=127.0.0.1", "--include-dashboard=false", f"--num-cpus={workers}"]
    flags += [f"--temp-dir={folder}/ray", "--object-store-memory=200000000", "--disable-usage-stats"]
    with (folder / "ray.log").open("wb") as log:
        command = [ray, "start", "--head", "--block", *flags]
        head = subprocess.Popen(command, env=os.environ | CLUSTER, stdout=log, stderr=log, start_new_session=True)
        try:
            while "Ray runtime started" not in (folder / "ray.log").read_text():
                assert head.poll() is None, (folder / "ray.log").read_text()
                time.sleep(0.1)
            yield psutil.Process(head.pid), f"127.0.0.1:{port}"
        finally:
            below = psutil.Process(head.pid).children(recursive=True)
            for one in (psutil.Process(head.pid), *below):
                with suppress(psutil.NoSuchProcess):
                    one.kill()
            head.wait()


def disturb(
    command: list[str], out: Path, head: psutil.Process, kills: int, shards: int, chance: random.Random
) -> tuple[Counter[str], int]:
    """Keep a driver going until it ends by itself; who was killed how often, and how often it was started."""
    killed: Counter[str] = Counter()
    starts = 0
    driver = None
    with out.with_suffix(".log").open("wb") as log:
        while driver is None or driver.poll() != 0:
            if driver is None or driver.poll() is not None:
                driver = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | CLUSTER)
                starts += 1
            if killed.total() < kills and done(out) >= shards * killed.total() // kills:
                time.sleep(chance.uniform(0.0, 1.0))
                who = chance.choices(list(VICTIMS), list(VICTIMS.values()))[0]
                if kill(who, driver, head, chance):
                    killed[who] += 1
            time.sleep(0.05)
            assert starts <= kills + 10, out.with_suffix(".log").read_text()
    return killed, starts


def kill(who: str, driver: subprocess.Popen[bytes], head: psutil.Process, chance: random.Random) -> bool:
    """Kill somebody of that kind, if there is one."""
    if who == "driver":
        if driver.poll() is None:
            driver.kill()
            driver.wait()
            return True
        return False
    title = {"worker": "ray::Worker", "writer": "ray::Writer"}[who]
    found = [one for one in head.children(recursive=True) if titled(one).startswith(title)]
    with suppress(psutil.NoSuchProcess):
        if found:
            chance.choice(found).kill()
            return True
    return False


def titled(process: psutil.Process) -> str:
    """What a process calls itself."""
    with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
        return " ".join(process.cmdline())
    return ""


def done(out: Path) -> int:
    """Shards in the ledger."""
    return sum(1 for row in read_log(out / TAUGHT) if "failed" not in row)


def compare(whole: Path, cut: Path) -> int:
    """Print whether two runs' corpora are the same; 0 if so."""
    same = True
    for name in tables.NAMES:
        one, other = (tables.opened(out / CORPUS, name) for out in (whole, cut))
        assert one is not None
        assert other is not None
        rows, others = one.to_table().to_pylist(), other.to_table().to_pylist()
        print(f"{name}: {len(rows):,} undisturbed, {len(others):,} disturbed, {'same' if rows == others else 'DIFFER'}")
        same = same and rows == others
    corpus = Corpus(cut / CORPUS)
    kept = [triplet.id for triplet in corpus.triplets()]
    print(f"accepted triplets: {len(kept):,}, each once: {len(set(kept)) == len(kept)}")
    return 0 if same and len(set(kept)) == len(kept) else 1


if __name__ == "__main__":
    sys.exit(tyro.cli(main))
