"""What experts have in common is theirs to the last rank, and others start from it."""

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tutelage.errors import BadInput
from tutelage.teachers.adapter_files import FILE, lora_state, read_adapters, row_of, write_adapters
from tutelage.teachers.fleet import Fleet
from tutelage.teachers.mean_expert import LENGTH, mean_adapters, mean_factors
from tutelage.teachers.settings import Lora, Sampling, Training
from tutelage.teachers.stacked_lora import first_weights, sites_of, stacked
from tutelage.teachers.warm_start import warm_start_command
from tutelage.triplet import Assignment, Cluster

LORA = Lora(rank=2, convolutions=True)


def made(base: Path, **changes: Any) -> Fleet:
    training = Training(steps=3, batch=1, optimiser="adamw", lr=1e-2)
    told: dict[str, Any] = {"training": training, "sampling": Sampling(samples=1, steps=2), "lora": LORA}
    return Fleet(base=base, size=2, device="cpu", **(told | changes))


@pytest.fixture
def assignments(make_cluster: Any) -> list[Assignment]:
    clusters = [make_cluster(key, sizes=((32, 32),) * 2) for key in "ab"]
    return [Assignment(id=f"{one.id}/00", cluster=one, text="a bear toy in the snow", skill="view") for one in clusters]


@given(experts=st.integers(1, 4), rank=st.integers(1, 3), inputs=st.integers(2, 9), seed=st.integers(0, 99))
@settings(max_examples=30)
def test_experts_that_share_directions_have_their_mean(experts: int, rank: int, inputs: int, seed: int) -> None:
    """Exactly; one alone is its own mean. A is as long as a fresh one, whatever was given."""
    random = torch.Generator().manual_seed(seed)
    shared = torch.randn(min(rank, inputs), inputs, generator=random)
    mixes = torch.randn(experts, rank, len(shared), generator=random)
    downs, ups = 100 * mixes @ shared, torch.randn(experts, 5, rank, generator=random)
    down, up = mean_factors(downs, ups)
    torch.testing.assert_close(up @ down, (ups @ downs).mean(0), rtol=1e-3, atol=1e-3)
    lengths = down.norm(dim=1)[: min(rank, inputs)]
    torch.testing.assert_close(lengths, torch.full_like(lengths, LENGTH))
    assert (down.shape, up.shape) == (downs.shape[1:], ups.shape[1:])


def test_no_other_basis_of_its_rank_is_nearer_to_the_experts() -> None:
    """The directions are those of the largest changes: what is lost of them is what must be lost."""
    random = torch.Generator().manual_seed(0)
    downs, ups = torch.randn(3, 2, 8, generator=random), torch.randn(3, 5, 2, generator=random)
    down, _ = mean_factors(downs, ups)
    every = (ups @ downs).flatten(0, 1)
    basis = torch.linalg.qr(down.T)[0]
    lost = (every - every @ basis @ basis.T).square().sum()
    torch.testing.assert_close(lost, torch.linalg.svdvals(every)[2:].square().sum(), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("base", ["tiny_sd", "tiny_sdxl"])
def test_a_fleet_starts_from_what_another_kept(
    base: str, request: pytest.FixtureRequest, assignments: list[Assignment], tmp_path: Path
) -> None:
    folder = request.getfixturevalue(base)
    cold = [one.target for one in made(folder, keep=tmp_path / "kept").teach(assignments)]
    warm_start_command(tmp_path / "kept", out=tmp_path / "start")
    teacher = made(folder, start=tmp_path / "start")
    warm = list(teacher.teach(assignments))
    assert all(one.target != other for one, other in zip(warm, cold, strict=True))
    assert warm == list(made(folder, start=tmp_path / "start").teach(assignments))
    sites = sites_of(teacher._model.pipeline.unet, LORA)
    kept = [row_of(read_adapters(tmp_path / "kept" / key), sites, key) for key in "ab"]
    mean = row_of(read_adapters(tmp_path / "start"), sites, "mean")
    assert float(mean.norm()) > 0
    assert all(not torch.equal(mean, row) for row in kept)


def test_the_first_step_is_taken_from_the_start(tiny_sd: Path, make_cluster: Any, tmp_path: Path) -> None:
    """The rate is too small to move it; a second try starts there again."""
    clusters: list[Cluster] = [make_cluster("a", sizes=((32, 32),) * 2)]
    unet = made(tiny_sd)._model.pipeline.unet
    row = first_weights(sites_of(unet, LORA), 7, "elsewhere") + 0.25
    with stacked(unet, LORA, 1) as stack:
        write_adapters(tmp_path / "start", lora_state(stack, row))
    still = Training(steps=1, batch=1, optimiser="adamw", lr=1e-12)
    teacher = made(tiny_sd, start=tmp_path / "start", training=still)
    with teacher.trained(clusters, 1) as (stack, experts):
        [done] = experts
        torch.testing.assert_close(stack.values.detach()[done.slot], row)


def test_what_does_not_fit_is_answered(tiny_sd: Path, assignments: list[Assignment], tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="holds no folder with"):
        warm_start_command(tmp_path, out=tmp_path / "start")
    with pytest.raises(BadInput, match="most is 0"):
        warm_start_command(tmp_path, out=tmp_path / "start", most=0)
    list(made(tiny_sd, keep=tmp_path / "kept").teach(assignments))
    for changes, says in (
        ({"lora": Lora(rank=3, convolutions=True)}, "has no adapters of rank 3"),
        ({"lora": Lora(rank=2)}, "adapts more layers"),
        ({"start": tmp_path / "none"}, "cannot be read"),
    ):
        with pytest.raises(BadInput, match=says):
            next(made(tiny_sd, **({"start": tmp_path / "kept" / "a"} | changes)).teach(assignments))
    other = {name: factor[..., :1].contiguous() for name, factor in read_adapters(tmp_path / "kept" / "a").items()}
    write_adapters(tmp_path / "kept" / "c", other)
    with pytest.raises(BadInput, match="differ in layers or rank"):
        warm_start_command(tmp_path / "kept", out=tmp_path / "start")
    (tmp_path / "kept" / "c" / FILE).write_bytes(b"no tensors")
    with pytest.raises(BadInput, match="cannot be read"):
        warm_start_command(tmp_path / "kept", out=tmp_path / "start")
    assert len(mean_adapters([read_adapters(tmp_path / "kept" / "a")])) > 2
