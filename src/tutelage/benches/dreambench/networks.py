"""The networks that published figures are made with, by Hub id. Nothing heavy is imported here."""

from typing import Final

DINO: Final = "facebook/dino-vits16"
DINO_PLUS: Final = "facebook/dino-vits8"
"""What DreamBench++ takes."""
CLIP: Final = "openai/clip-vit-base-patch32"
PUBLISHED: Final = {DINO: "DINO", DINO_PLUS: "DINO", CLIP: "CLIP"}
"""Networks whose figures go by a name alone; the names of other figures hold the network's."""
