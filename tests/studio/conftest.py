"""A corpus and a student as small as they get."""

from pathlib import Path

import pytest
import torch


@pytest.fixture(scope="session")
def make_corpus(make_triplet):
    """(folder, triplets) → a corpus of triplets judged by `delta-clip`; every third is rejected, every fifth unsure."""
    from tutelage.corpus.writer import Committer
    from tutelage.triplet import Verdict

    def make(folder: Path, count: int) -> Path:
        skills = ("view", "accessory", "make it night")
        triplets = [
            make_triplet(f"t{number:03d}", text=f"a bear toy, number {number}", skill=skills[number % 3])
            for number in range(count)
        ]
        verdicts = [
            Verdict(
                triplet=triplet.id,
                judge="delta-clip",
                score=None if number % 5 == 4 else number / count,
                keep=number % 3 != 0,
                reason="" if number % 3 else "not above",
            )
            for number, triplet in enumerate(triplets)
        ]
        with Committer(folder) as committer:
            committer.append(triplets, verdicts)
        return folder

    return make


@pytest.fixture(scope="session")
def tiny_student(tmp_path_factory: pytest.TempPathFactory, tiny_sd: Path) -> Path:
    """The folder of a student that does something with what it is shown."""
    from tutelage.diffusion.load import load_pipeline
    from tutelage.students.settings import SutiShape
    from tutelage.students.suti import Suti

    folder = tmp_path_factory.mktemp("students") / "tiny"
    suti = Suti.from_base(load_pipeline(tiny_sd, "cpu"), SutiShape(levels=(0, 1), head_width=8))
    torch.manual_seed(3)
    for layer in suti.network.attention.layers.values():
        torch.nn.init.normal_(layer.to_out.weight, std=0.3)
    suti.save(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_editor(tmp_path_factory: pytest.TempPathFactory, tiny_sd: Path) -> Path:
    """The folder of a student that edits: InstructPix2Pix with random weights, which sees its source."""
    from tutelage.diffusion.load import load_pipeline
    from tutelage.students.instruct_pix2pix import InstructPix2Pix
    from tutelage.students.settings import EditShape

    folder = tmp_path_factory.mktemp("students") / "tiny-editor"
    editor = InstructPix2Pix.from_base(load_pipeline(tiny_sd, "cpu"), EditShape())
    torch.manual_seed(7)
    torch.nn.init.normal_(editor.network.unet.conv_in.weight, std=0.2)
    editor.save(folder)
    return folder
