"""The recipes of the shipped checkpoints. Each docstring gives the command, the hardware, the time and the score.

All share one set of rendered pictures (`runs/toybox-renders`, made on first use) and finish with a Hub-layout folder
`OUT/model` in fp16. Order: `toybox-vae` and `toybox-clip`, then `toybox-sd` and
`toybox-clip-sharpen`, then `toybox-dino`; `toybox-reader` any time, then `toybox-seg`.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tutelage.errors import BadInput
from tutelage.run import FREE, open_run
from tutelage.training.renders import Renders
from tutelage.training.settings import ClipShape, Emphasis, Grouping, Schedule, UNetShape, VaeShape

RUNS = Path("runs")


@dataclass(frozen=True, kw_only=True)
class Training(ABC):
    """What every training has."""

    out: Path
    """The run directory; the finished folder is its `model`."""
    schedule: Schedule
    renders: Renders = Renders(folder=RUNS / "toybox-renders")
    """The pictures to learn from."""
    bf16: bool = True
    """Forward and backward in bfloat16; weights stay in float32."""
    device: str = field(default="auto", metadata=FREE)
    """auto, cpu, cuda or mps."""
    workers: int = field(default=2, metadata=FREE)
    """Processes that render."""

    @property
    def model(self) -> Path:
        """Where the finished checkpoint is."""
        return self.out / "model"

    def run(self) -> None:
        """Train, or go on training; at once done when `model` is there."""
        open_run(self, self.out)
        if self.model.exists():
            print(f"{self.model} is finished")
            return
        from tutelage.diffusion.quiet import quiet_libraries

        self.renders.build(self.workers)
        with quiet_libraries():
            self.train()
        print(f"wrote {self.model}")

    @abstractmethod
    def train(self) -> None:
        """The training itself, down to the saved folder."""


@dataclass(frozen=True, kw_only=True)
class VaeTraining(Training):
    """A picture codec."""

    shape: VaeShape = VaeShape()

    def train(self) -> None:
        from tutelage.training.publish import publish
        from tutelage.training.vae import train_vae

        vae = train_vae(self.renders, self.schedule, self.shape, self.out, self.device, self.bf16)
        publish(self.model, [vae], self)


@dataclass(frozen=True, kw_only=True)
class ClipTraining(Training):
    """Captions and pictures in one space."""

    shape: ClipShape = ClipShape()

    def train(self) -> None:
        from tutelage.training.clip import train_clip
        from tutelage.training.publish import clip_images, publish
        from tutelage.training.tokenizer import build_tokenizer

        clip = train_clip(self.renders, self.schedule, self.shape, self.out, self.device, self.bf16)
        publish(self.model, [clip, build_tokenizer(), clip_images(self.shape.size)], self)


@dataclass(frozen=True, kw_only=True)
class ClipSharpening(Training):
    """Captions and pictures in one space."""

    clip: Path = RUNS / "toybox-clip" / "model"
    """The finished CLIP to go on from; its text tower is not touched."""

    def train(self) -> None:
        from transformers import CLIPTokenizer

        from tutelage.training.publish import clip_images, publish
        from tutelage.training.sharpen import sharpen_clip

        finished(self.clip, "toybox-clip")
        clip = sharpen_clip(self.renders, self.schedule, self.clip, self.out, self.device, self.bf16)
        publish(self.model, [clip, CLIPTokenizer.from_pretrained(self.clip), clip_images(self.renders.size)], self)


@dataclass(frozen=True, kw_only=True)
class DinoTraining(Training):
    """Features of a toy's identity."""

    grouping: Grouping = Grouping()
    clip: Path = RUNS / "toybox-clip-sharpen" / "model"
    """The finished CLIP whose image tower it starts from."""

    def train(self) -> None:
        from tutelage.training.dino import train_dino
        from tutelage.training.publish import publish, vit_images

        finished(self.clip, "toybox-clip-sharpen")
        vit = train_dino(self.renders, self.schedule, self.grouping, self.clip, self.out, self.device, self.bf16)
        publish(self.model, [vit, vit_images(self.renders.size)], self)


@dataclass(frozen=True, kw_only=True)
class SdTraining(Training):
    """Text to image."""

    shape: UNetShape = UNetShape()
    vae: Path = RUNS / "toybox-vae" / "model"
    """The finished codec."""
    clip: Path = RUNS / "toybox-clip" / "model"
    """The finished CLIP whose text tower becomes the text encoder."""
    tune_text: bool = True
    """Train the text encoder along with the UNet."""
    emphasis: Emphasis = Emphasis()

    def train(self) -> None:
        from tutelage.training.publish import publish
        from tutelage.training.sd import Base, train_sd

        finished(self.vae, "toybox-vae")
        finished(self.clip, "toybox-clip")
        base = Base.load(self.vae, self.clip)
        told = (self.device, self.bf16, self.tune_text, self.emphasis)
        publish(self.model, [train_sd(self.renders, self.schedule, self.shape, base, self.out, *told)], self)


@dataclass(frozen=True, kw_only=True)
class SegTraining(Training):
    """Which part each pixel belongs to."""

    side: int = 256
    """Pixels a side that the network sees; its masks have a quarter of that."""
    reader: Path = RUNS / "toybox-reader" / "model"
    """The finished reader whose trunk it starts from."""

    def train(self) -> None:
        from tutelage.training.publish import publish, seg_images
        from tutelage.training.seg import train_seg

        finished(self.reader, "toybox-reader")
        seg = train_seg(self.renders, self.schedule, self.side, self.reader, self.out, self.device, self.bf16)
        publish(self.model, [seg, seg_images(self.side)], self)


@dataclass(frozen=True, kw_only=True)
class ReaderTraining(Training):
    """Every attribute of a picture."""

    side: int = 192
    """Pixels a side that the network sees."""

    def train(self) -> None:
        from tutelage.training.publish import publish, vit_images
        from tutelage.training.reader import train_reader

        reader = train_reader(self.renders, self.schedule, self.side, self.out, self.device, self.bf16)
        publish(self.model, [reader, vit_images(self.side)], self)


@dataclass(frozen=True, kw_only=True)
class DebugTraining:
    """All of the trainings, too short to learn anything."""

    out: Path = RUNS / "toybox-debug"
    steps: int = 2

    def run(self) -> None:
        """Two steps of everything in dependency order; a second call finds all of it finished."""
        renders = Renders(folder=self.out / "renders", subjects=32, views=2)
        for name, recipe in CHECKPOINT_RECIPES.items():
            config = recipe()
            links: dict[str, Any] = {
                key: self.out / key / "model" for key in ("vae", "clip", "reader") if hasattr(config, key)
            }
            if isinstance(config, DinoTraining):
                links["grouping"] = Grouping(kinds=2, subjects=2, views=2)
            short = replace(config.schedule, steps=self.steps, batch=4)
            replace(config, out=self.out / name, renders=renders, schedule=short, **links).run()


def toybox_vae() -> VaeTraining:
    """The codec of toybox-sd: 128 × 128 pixels ↔ 16 × 16 × 16 numbers.

    `tutelage run toybox-vae`; one core of a two-core Xeon, 38 min; 28.8 dB after 4,700 of its 6,500 steps.
    """
    schedule = Schedule(steps=6500, batch=32, lr=1e-3, decay=0.6, ema=0.999, weight_decay=0.0)
    return VaeTraining(out=RUNS / "toybox-vae", schedule=schedule)


def toybox_clip() -> ClipTraining:
    """Captions and pictures in one space; its text tower is the base's text encoder.

    `tutelage run toybox-clip`; one core of a two-core Xeon, 28 min; retrieval among 32 1.000, accessory .816.
    """
    schedule = Schedule(steps=1600, batch=128, lr=1e-3, warmup=150, decay=0.6, ema=0.995, weight_decay=0.05)
    return ClipTraining(out=RUNS / "toybox-clip", schedule=schedule)


def toybox_clip_sharpen() -> ClipSharpening:
    """The image side of toybox-clip trained further, on one attribute at a time. This is what ships as toybox-clip.

    `tutelage run toybox-clip-sharpen`, after toybox-clip; one core, 24 min; accessory .94, scene 1.000, style .99.
    """
    schedule = Schedule(steps=1500, batch=128, lr=4e-4, warmup=30, decay=0.8, weight_decay=0.05)
    return ClipSharpening(out=RUNS / "toybox-clip-sharpen", schedule=schedule)


def toybox_dino() -> DinoTraining:
    """Features that know a toy again, whatever it wears and wherever it is.

    `tutelage run toybox-dino`, after toybox-clip-sharpen; one core, 8 min; same-kind AUC 1.000.
    """
    schedule = Schedule(steps=700, batch=128, lr=5e-4, decay=0.7, ema=0.99, weight_decay=0.05)
    return DinoTraining(out=RUNS / "toybox-dino", schedule=schedule)


def toybox_sd() -> SdTraining:
    """A small Stable Diffusion: text to 128 × 128 pictures of toys.

    `tutelage run toybox-sd`, after toybox-vae and toybox-clip; one core of a two-core Xeon, 3 h 35 min; read back
    right: full captions .903, short .917. The shipped weights changed settings on the way; docs/log.md says which.
    """
    schedule = Schedule(steps=15500, batch=48, lr=8e-4, warmup=200, decay=0.5, ema=0.9993)
    return SdTraining(out=RUNS / "toybox-sd", schedule=schedule)


def toybox_seg() -> SegTraining:
    """Masks of parts and accessories.

    `tutelage run toybox-seg`, after toybox-reader; one core of a two-core Xeon, 42 min; IoU .914 over labels, toy .972.
    """
    schedule = Schedule(steps=2500, batch=16, lr=1e-3, decay=0.7)
    return SegTraining(out=RUNS / "toybox-seg", schedule=schedule)


def toybox_reader() -> ReaderTraining:
    """The attribute reader: picture to description.

    `tutelage run toybox-reader`; one core of a two-core Xeon, 37 min; mean accuracy .964.
    """
    schedule = Schedule(steps=3200, batch=64, lr=1e-3, decay=0.8, weight_decay=0.02)
    return ReaderTraining(out=RUNS / "toybox-reader", schedule=schedule)


def toybox_debug() -> DebugTraining:
    """Two steps of every training on a handful of pictures, to see that all of it runs.

    `tutelage run toybox-debug`, a minute on two cores
    """
    return DebugTraining()


CHECKPOINT_RECIPES = {
    "vae": toybox_vae,
    "clip": toybox_clip,
    "clip-sharpen": toybox_clip_sharpen,
    "dino": toybox_dino,
    "sd": toybox_sd,
    "reader": toybox_reader,
    "seg": toybox_seg,
}
"""In the order in which they need one another."""


def finished(folder: Path, recipe: str) -> None:
    """Raise a `BadInput` if a recipe's folder is not there."""
    if not folder.is_dir():
        raise BadInput(f"{folder} is not there yet; run `tutelage run {recipe}` first")
