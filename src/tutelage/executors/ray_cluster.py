"""Joining a Ray cluster, and how much of it a step's workers take."""

import os
from dataclasses import dataclass
from typing import Any, Final

from tutelage.errors import BadInput
from tutelage.executors.base import Resources, cores_each, cores_here

ALONE: Final = {
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # what is started listens on the loopback interface only
    "RAY_worker_niceness": "0",  # else workers stand back behind all else, as no process of `local` does
}
"""Read by what Ray starts: for a cluster of this machine alone."""


def connect(address: str) -> None:
    """Join the cluster at an address, or start one on this machine, once in a process.

    Raises:
        BadInput: Ray is not installed, or there is no cluster.
    """
    try:
        import ray
    except ImportError as error:
        raise BadInput("this needs Ray, which is not installed: pip install 'tutelage[ray]'") from error
    if ray.is_initialized():
        return
    os.environ.setdefault("RAY_IGNORE_UNHANDLED_ERRORS", "1")  # what a worker raises is told when it is taken in
    if not address:
        for name, value in ALONE.items():
            os.environ.setdefault(name, value)
        # Ray reads the first of them here on import, which may be long ago: Daft imports Ray.
        ray._private.ray_constants.ENABLE_RAY_CLUSTER = False
    here: dict[str, Any] = {"num_cpus": cores_here(), "include_dashboard": False}
    try:
        ray.init(address or "local", logging_level="ERROR", log_to_driver=False, **({} if address else here))
    except (ConnectionError, ValueError) as error:
        said = str(error).splitlines()[0]
        hint = "start one with `ray start --head`, or, if it asks for a token, set RAY_AUTH_MODE=token"
        raise BadInput(f"no Ray cluster at '{address}' ({said}); {hint}") from error


@dataclass(frozen=True)
class Room:
    """How many workers there are, and what each occupies."""

    workers: int
    cpus: int
    gpus: float
    memory: int

    @staticmethod
    def of(asked: Resources, workers: int | None) -> "Room":
        """For a step, on the cluster that this process has joined.

        Raises:
            BadInput: there is nobody with an accelerator, and the step asks for one.
        """
        import ray

        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        cpus, devices = (sum(node.get(name, 0.0) for node in nodes) for name in ("CPU", "GPU"))
        gpus = min(1.0, devices) if asked.gpus is None else asked.gpus
        if gpus > devices:
            raise BadInput("the Ray cluster has no accelerator; give --device cpu, or join machines that have some")
        fit = workers or max(1, int(devices // gpus if gpus else cpus // asked.cpus))
        largest = int(max(node.get("CPU", 0.0) for node in nodes))
        cores = asked.cpus if gpus else max(asked.cpus, min(largest, cores_each(asked.cpus, int(cpus), fit)))
        return Room(fit, cores, gpus, asked.memory)

    def options(self) -> dict[str, Any]:
        """As Ray takes them."""
        asked = {"num_cpus": self.cpus, "num_gpus": self.gpus}
        return {**asked, "memory": self.memory} if self.memory else asked
