"""What every editor does, on every kind of base."""

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from editors import CONCATENATING, PAIRS, batch, editor, first_layer, pair, request, source
from PIL import Image

from tutelage.diffusion.latents import decode_latents, encode_pictures
from tutelage.diffusion.load import load_pipeline
from tutelage.diffusion.pictures import decode
from tutelage.errors import BadInput
from tutelage.students import EDITORS, FOLDERS, student
from tutelage.students.base import Batch
from tutelage.students.folder import pipeline_class
from tutelage.students.guidance import BOTH, Chain, ImageFirst, TwoWeights
from tutelage.students.mask_guidance import MaskGuidance

GUIDANCE = ImageFirst(text=3.0, image=1.5)


@pytest.fixture(params=PAIRS, ids="-".join)
def kind(request: pytest.FixtureRequest) -> tuple[str, Path]:
    """An editor's name and the folder of a base."""
    name, base = request.param
    return name, request.getfixturevalue(base)


def drawn(begun: Any, *requests: Any, **options: Any) -> list[bytes]:
    told = {"steps": 2, "guidance": GUIDANCE} | options
    return [picture.tobytes() for pictures in begun.generate(requests or [request()], **told) for picture in pictures]


def said(begun: Any, sources: torch.Tensor) -> torch.Tensor:
    """What the network says of a random batch."""
    one, random = batch(begun), torch.Generator().manual_seed(1)
    noisy = torch.randn(one.latents.shape, generator=random)
    with torch.no_grad():
        spoken: torch.Tensor = begun.network(noisy, torch.tensor([100.0, 700.0]), one.text, sources)
    return spoken


def test_it_begins_as_its_base(kind: tuple[str, Path]) -> None:
    """Whatever the source; a branch to the last bit, for what it adds is zero."""
    begun, base = editor(*kind), load_pipeline(kind[1], "cpu")
    one, random = batch(begun), torch.Generator().manual_seed(1)
    noisy, times = torch.randn(one.latents.shape, generator=random), torch.tensor([100.0, 700.0])
    with torch.no_grad():
        if kind[0] == "instruct-pix2pix":
            size = (noisy.shape[2] * base.vae_scale_factor,) * 2
            plain = base.unet(noisy, times, **one.text.arguments(size)).sample
        else:
            told = {"encoder_hidden_states": one.text.hidden, "pooled_projections": one.text.pooled}
            plain = base.transformer(noisy, timestep=times, **told).sample
    for sources in (torch.zeros_like(noisy), torch.randn(noisy.shape, generator=random)):
        if kind[0] in CONCATENATING:
            torch.testing.assert_close(said(begun, sources), plain, atol=1e-5, rtol=1e-5)
        else:
            assert torch.equal(said(begun, sources), plain)


def test_awake_it_looks_at_the_source(kind: tuple[str, Path]) -> None:
    begun = editor(*kind, awake=True)
    zeros = torch.zeros_like(batch(begun).latents)
    assert not torch.allclose(said(begun, zeros), said(begun, zeros + 1), atol=1e-3)
    pictures = {*drawn(begun), *drawn(begun, request(picture=source(9)))}
    assert len(pictures) == 2


def test_everything_new_learns_and_the_rest_stays(kind: tuple[str, Path]) -> None:
    begun = editor(*kind, awake=True)
    begun.network.train()
    begun.loss(batch(begun, drop=0.0)).backward()
    for name, parameter in begun.network.named_parameters():
        assert parameter.requires_grad == (parameter.grad is not None), name
    frozen = {id(parameter) for parameter in begun.network.parameters() if not parameter.requires_grad}
    base = () if kind[0] in CONCATENATING else begun.pipeline.transformer.parameters()
    assert {id(parameter) for parameter in base} <= frozen
    assert len(frozen) < 0.7 * len(list(begun.network.parameters()))


def test_a_few_steps_bring_the_loss_down(kind: tuple[str, Path]) -> None:
    begun = editor(*kind, drop=0.0)
    one = batch(begun, drop=0.0)
    optimiser = torch.optim.AdamW([p for p in begun.network.parameters() if p.requires_grad], lr=3e-3)
    losses = []
    for _ in range(12):
        loss = begun.loss(one)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.97 * losses[0]


def test_pairs_of_every_shape_are_learnt_from(kind: tuple[str, Path]) -> None:
    begun = editor(*kind, awake=True)
    for size in ((32, 18), (18, 32), (30, 20)):
        one = batch(begun, size=size, drop=0.0)
        assert (one.latents.shape[3] > one.latents.shape[2]) == (size[0] > size[1])
        assert torch.isfinite(begun.loss(one))


@pytest.mark.parametrize("kind", [one for one in PAIRS if one[0] in CONCATENATING], ids="-".join, indirect=True)
def test_channels_of_the_source_are_new_and_learn(kind: tuple[str, Path]) -> None:
    """They are after those there were, are zero at first, and move with the rest."""
    begun, old = editor(*kind, drop=0.0), editor(*kind)
    weight, latents = first_layer(begun).weight, begun.pipeline.vae.config.latent_channels
    assert weight.shape[1] == 2 * latents
    assert weight[:, :latents].any()
    assert not weight[:, latents:].any()
    optimiser = torch.optim.SGD(begun.network.parameters(), lr=0.1)
    begun.loss(batch(begun, drop=0.0)).backward()
    assert weight.grad[:, latents:].any()
    optimiser.step()
    moved = zip(begun.network.named_parameters(), old.network.parameters(), strict=True)
    assert not [name for (name, new), before in moved if new.grad.any() and torch.equal(new, before)]
    assert weight[:, latents:].any()


def test_checkpointing_changes_no_gradient(kind: tuple[str, Path]) -> None:
    grads = []
    for checkpointing in (False, True):
        begun = editor(*kind, awake=True, checkpointing=checkpointing)
        begun.network.train()
        begun.loss(batch(begun, drop=0.0)).backward()
        grads.append({name: p.grad for name, p in begun.network.named_parameters() if p.requires_grad})
    for name, grad in grads[0].items():
        torch.testing.assert_close(grads[1][name], grad)


def test_dropped_conditions_are_as_good_as_none(kind: tuple[str, Path]) -> None:
    """A source that is dropped is one of zeros, a text that is dropped the one for no text."""
    begun = editor(*kind, awake=True)
    one = batch(begun, drop=0.0)

    def loss(**changes: Any) -> float:
        with torch.no_grad():
            return float(begun.loss(Batch(**(vars(one) | changes))))

    gone = torch.ones(2, dtype=torch.bool)
    zeros = copy.deepcopy(one.references)
    zeros.latents.zero_()
    assert loss(drop_references=gone) == loss(references=zeros) != loss()
    assert loss(drop_text=gone) not in (loss(), loss(drop_references=gone))


def test_a_saved_editor_edits_the_same(kind: tuple[str, Path], tmp_path: Path) -> None:
    begun = editor(*kind, awake=True)
    begun.save(tmp_path / "student")
    assert FOLDERS[pipeline_class(tmp_path / "student")] == kind[0]
    assert drawn(student(kind[0]).load(tmp_path / "student", "cpu")) == drawn(begun)
    texts = [path.read_text() for path in (tmp_path / "student").rglob("*.json")]
    assert not any("_name_or_path" in text or str(kind[1]) in text for text in texts)
    with pytest.raises(BadInput, match="is there already"):
        begun.save(tmp_path / "student")


def test_a_picture_depends_on_its_request_alone(kind: tuple[str, Path]) -> None:
    begun = editor(*kind, awake=True)
    several = [request(seed=1), request("a red toy", 2, source(5, (48, 24))), request(seed=3)]
    together = drawn(begun, *several, batch=3)
    assert together == [drawn(begun, one)[0] for one in several]
    assert len(set(together)) == 3
    [[wide]] = begun.generate(several[1:2], steps=1, guidance=GUIDANCE)
    assert wide.width > wide.height
    [[told]] = begun.generate(several[1:2], steps=1, guidance=GUIDANCE, size=(32, 48))
    assert told.size == (48, 32)


def test_wrong_requests_and_bases_are_refused(kind: tuple[str, Path], tiny_sd: Path, tiny_sd3: Path) -> None:
    begun, nobody = editor(*kind), request()
    with pytest.raises(BadInput, match="an edit has one source"):
        drawn(begun, type(nobody)(text="a hat", references=(), seed=0))
    with pytest.raises(BadInput, match="batch is 0"):
        drawn(begun, batch=0)
    other = tiny_sd3 if kind[0] == "instruct-pix2pix" else tiny_sd
    with pytest.raises(BadInput, match="give a model of"):
        editor(kind[0], other)
    with pytest.raises(BadInput, match="train one from it"):
        student(kind[0]).load(other, "cpu")


def test_with_weights_of_one_nothing_is_guided(kind: tuple[str, Path]) -> None:
    """The chain ends where everything is shown."""

    class Unguided:
        def chain(self, draw: float, time: float) -> Chain:
            return Chain(BOTH, ())

    begun = editor(*kind, awake=True)
    [[plain]], [[guided]] = (
        begun.generate([request()], steps=2, guidance=one) for one in (Unguided(), ImageFirst(text=1, image=1))
    )
    assert np.abs(pixels(plain) - pixels(guided)).max() <= 1


def test_both_weights_matter(kind: tuple[str, Path]) -> None:
    begun = editor(*kind, awake=True)
    guidances: list[Any] = [ImageFirst(text=t, image=i) for t, i in ((3, 1.5), (1, 1.5), (3, 1))] + [
        TwoWeights(text=3, references=1)
    ]
    assert len({drawn(begun, guidance=one)[0] for one in guidances}) == 4


def test_editors_are_students() -> None:
    assert {student(name).__name__ for name in EDITORS} == {
        "InstructPix2Pix", "ConcatStudent", "ControlNet", "EditNetStudent"
    }  # fmt: skip
    assert pair().references[0].picture.data != pair().target


def pixels(picture: Image.Image) -> Any:
    return np.asarray(picture).astype(int)


def test_mask_guidance_keeps_what_is_outside(kind: tuple[str, Path]) -> None:
    """With a full weight it is what the codec makes of the source; inside, and with no weight, nothing is held."""
    begun, asked = editor(*kind, awake=True), request()
    left = np.zeros((32, 32), np.bool_)
    left[:, :16] = True
    told: dict[str, Any] = {"steps": 3, "guidance": GUIDANCE}

    def edited(**changes: Any) -> Any:
        [[picture]] = begun.generate([asked], **told, **changes)
        return pixels(picture)

    [clean] = begun.pipeline.image_processor.postprocess(
        decode_latents(
            begun.pipeline.vae, encode_pictures(begun.pipeline.vae, [decode(asked.references[0].picture.data)])
        )
    )
    free, none = edited(), edited(masked=MaskGuidance(weight=0.0, find=lambda _: left))
    assert np.array_equal(free, none)
    nowhere = edited(masked=MaskGuidance(find=lambda _: np.zeros((32, 32), np.bool_)))
    assert np.abs(nowhere - pixels(clean)).max() <= 1
    held, half = (edited(masked=MaskGuidance(weight=weight, find=lambda _: left)) for weight in (1.0, 0.5))
    assert len({found.tobytes() for found in (free, nowhere, held, half)}) == 4
    own = edited(masked=MaskGuidance())
    assert np.array_equal(own, edited(masked=MaskGuidance()))
    with pytest.raises(BadInput, match="mask guidance is 2"):
        MaskGuidance(weight=2)
