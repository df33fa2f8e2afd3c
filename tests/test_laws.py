"""The laws of ARCHITECTURE.md, read from the syntax trees of the sources; nothing is imported to check them."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[1]
PACKAGE: Final = ROOT / "src" / "tutelage"
LONGEST: Final = 300

MAY_IMPORT: Final[dict[str, set[str]]] = {
    "errors": set(),
    "triplet": set(),
    "run": {"errors"},
    "diffusion": {"errors"},
    "toybox": {"errors", "diffusion"},
    "chat": {"diffusion", "errors"},
    "viescore": {"chat", "diffusion", "errors"},
    "segmentation": {"toybox", "diffusion", "errors"},
    "layouts": {"errors"},
    "mining": {"triplet", "chat", "diffusion", "toybox", "errors"},
    "editing": {"triplet", "diffusion", "errors"},
    "teachers": {"triplet", "editing", "segmentation", "diffusion", "errors"},
    "judges": {"triplet", "viescore", "chat", "diffusion", "errors"},
    "students": {"triplet", "diffusion", "errors"},
    "benches": {"triplet", "layouts", "viescore", "chat", "diffusion", "toybox", "errors"},
    "corpus": {"triplet", "layouts", "run", "errors"},
    "executors": {"errors"},
    "sources": {"toybox", "errors"},
    "training": {"toybox", "diffusion", "run", "errors"},
    "recipes": {
        "pipeline",
        "edit_pipeline",
        "refine_pipeline",
        "stages",
        "mining",
        "editing",
        "teachers",
        "judges",
        "students",
        "segmentation",
        "sources",
        "training",
        "toybox",
        "diffusion",
        "run",
        "errors",
    },
}
"""What each package may import besides itself. Whatever is on top is not listed: it imports anything below."""

ON_TOP: Final = {
    "__main__",
    "cli",
    "demo",
    "edit",
    "edit_pipeline",
    "generate",
    "generators",
    "judging",
    "pipeline",
    "planning",
    "refine_pipeline",
    "report",
    "reproduce",
    "stages",
    "stamp",
    "studio",
    "subject",
}
"""Joins the rest; of what is below, only recipes import any of it."""

UNNAMED: Final = {"common", "helper", "helpers", "misc", "util", "utils"}
"""Names that say where code ended up, not what it does."""

RUNS_WHAT_IT_READS: Final = {"cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve"}


def imports_of(path: Path, root: Path) -> Iterator[tuple[int, str]]:
    """Yield (line, dotted name) of everything imported in `path`, at any depth; relative imports made absolute."""
    package = ["tutelage", *path.relative_to(root).parent.parts]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def modules(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*.py"))


def owner(path: Path, root: Path) -> str:
    """The top-level part of the package that a file belongs to."""
    return path.relative_to(root).parts[0].removesuffix(".py")


def import_faults(root: Path) -> list[str]:
    faults = []
    parts = {owner(path, root) for path in modules(root)}
    for path in modules(root):
        part = owner(path, root)
        if part not in {"__init__", *ON_TOP, *MAY_IMPORT}:
            faults.append(f"{path}: no law says what '{part}' may import; add its line to MAY_IMPORT")
            continue
        allowed = parts - {"__main__", "cli"} if part in ON_TOP else MAY_IMPORT.get(part, set()) | {part}
        allowed |= {"cli"} if part == "__main__" else set()
        for line, name in imports_of(path, root):
            target = name.split(".")[1] if name.startswith("tutelage.") else ""
            if target in parts - allowed - {"__init__"}:
                faults.append(f"{path}:{line}: '{part}' may not import '{target}'")
    return faults


def shape_faults(root: Path) -> list[str]:
    faults = []
    for path in modules(root):
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > LONGEST:
            faults.append(f"{path}: {lines} lines, more than {LONGEST}; split it by what it does")
        faults += [
            f"{path}: '{name}' does not say what it holds"
            for name in {part.removesuffix(".py") for part in path.relative_to(root).parts} & UNNAMED
        ]
    return faults


def safety_faults(root: Path) -> list[str]:
    faults = []
    for path in modules(root):
        faults += [
            f"{path}:{line}: {name} runs what it reads"
            for line, name in imports_of(path, root)
            if name.split(".")[0] in RUNS_WHAT_IT_READS
        ]
        calls = (node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call))
        faults += [f"{path}:{call.lineno}: {reason}" for call in calls for reason in call_faults(call)]
    return faults


def call_faults(call: ast.Call) -> list[str]:
    given = {word.arg: ast.unparse(word.value) for word in call.keywords}
    reasons = [
        f"{flag}=True lets a file run code"
        for flag in ("allow_pickle", "trust_remote_code")
        if given.get(flag, "False") != "False"
    ]
    if ast.unparse(call.func) == "torch.load" and given.get("weights_only") != "True":
        reasons.append("torch.load without weights_only=True runs what it reads")
    return reasons


def test_imports_go_one_way() -> None:
    assert import_faults(PACKAGE) == []


def test_files_are_short_and_named_for_what_they_hold() -> None:
    assert shape_faults(PACKAGE) == []


def test_nothing_that_is_read_is_run() -> None:
    assert safety_faults(PACKAGE) == []


def test_every_test_file_has_a_name_of_its_own() -> None:
    """Without packages of tests, pytest collects one of two files of one name."""
    counts = Counter(path.name for path in modules(ROOT / "tests") if path.name.startswith("test_"))
    assert [name for name, count in counts.items() if count > 1] == []


def test_the_laws_see_the_package() -> None:
    """A wrong path would make every law hold."""
    assert {"errors", "cli", "toybox"} <= {owner(path, PACKAGE) for path in modules(PACKAGE)}


def world(root: Path, sources: dict[str, str]) -> Path:
    for name, source in sources.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")
    return root


LEGAL: Final = {
    "__init__.py": "",
    "errors.py": "",
    "cli.py": "from tutelage import __version__, errors\n",
    "judges/__init__.py": "",
    "judges/base.py": "import tutelage.errors\nfrom tutelage.triplet import Triplet\n",
    "judges/likeness.py": "import numpy, torch\nfrom tutelage.judges.base import Judge\nfrom . import base\n",
    "teachers/base.py": "",
    "toybox/scene.py": "x = torch.load(path, weights_only=True)\n",
    "triplet.py": "import dataclasses\n",
}


def test_a_legal_world_has_no_faults(tmp_path: Path) -> None:
    root = world(tmp_path, LEGAL)
    assert import_faults(root) + shape_faults(root) + safety_faults(root) == []


@pytest.mark.parametrize(
    ("name", "source", "says"),
    [
        ("triplet.py", "from tutelage.errors import BadInput", "'triplet' may not import 'errors'"),
        ("judges/likeness.py", "from tutelage.teachers.base import Teacher", "'judges' may not import 'teachers'"),
        ("judges/likeness.py", "from tutelage import teachers", "'judges' may not import 'teachers'"),
        ("judges/likeness.py", "from ..teachers import base", "'judges' may not import 'teachers'"),
        ("judges/likeness.py", "def f():\n    import tutelage.toybox.scene", "'judges' may not import 'toybox'"),
        ("toybox/scene.py", "import tutelage.cli", "'toybox' may not import 'cli'"),
        ("demo.py", "import tutelage.cli", "'demo' may not import 'cli'"),
        ("novelty/base.py", "", "no law says what 'novelty' may import"),
        ("toybox/utils.py", "", "'utils' does not say what it holds"),
        ("common/paint.py", "", "'common' does not say what it holds"),
        ("toybox/scene.py", "x = 1\n" * (LONGEST + 1), "301 lines"),
        ("toybox/scene.py", "import pickle", "pickle runs what it reads"),
        ("toybox/scene.py", "from joblib import load", "joblib.load runs what it reads"),
        ("toybox/scene.py", "torch.load(path)", "torch.load without weights_only"),
        ("toybox/scene.py", "torch.load(path, weights_only=False)", "torch.load without weights_only"),
        ("toybox/scene.py", "np.load(path, allow_pickle=True)", "allow_pickle=True lets"),
        ("toybox/scene.py", "M.from_pretrained(x, trust_remote_code=flag)", "trust_remote_code=True lets"),
    ],
)
def test_each_law_can_be_broken(tmp_path: Path, name: str, source: str, says: str) -> None:
    root = world(tmp_path, {**LEGAL, name: source})
    faults = import_faults(root) + shape_faults(root) + safety_faults(root)
    assert any(says in fault for fault in faults), faults
