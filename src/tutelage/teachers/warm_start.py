"""`tutelage warm-start`: adapters that the experts of a fleet start from."""

from pathlib import Path

from tutelage.errors import BadInput


def warm_start_command(kept: Path, /, *, out: Path, most: int = 64) -> None:
    """Make the mean of finished experts, for others to start from (--teacher.start of a run's fleet).

    Args:
        kept: Folder that holds experts' adapters, a folder each (--teacher.keep).
        out: Folder to write; diffusers loads it like any other adapter.
        most: How many of them to take, the first ones by name.

    Raises:
        BadInput: there are none, they do not fit together, or `out` cannot be written.
    """
    from tutelage.teachers.adapter_files import FILE, read_adapters, write_adapters
    from tutelage.teachers.mean_expert import mean_adapters

    if most < 1:
        raise BadInput(f"most is {most}; give at least 1")
    folders = sorted(file.parent for file in kept.glob(f"*/{FILE}"))[:most]
    if not folders:
        raise BadInput(f"{kept} holds no folder with {FILE}; give the folder that a fleet kept its adapters in")
    write_adapters(out, mean_adapters([read_adapters(folder) for folder in folders]))
    print(f"mean of {len(folders)} experts: {out}")
