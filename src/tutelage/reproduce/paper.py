"""What SuTI (Chen et al. 2023) reports. Generators have the names that they have in our bench."""

from collections.abc import Mapping
from typing import Final

Figures = Mapping[str, Mapping[str, float]]
"""Generator → metric → figure."""

TABLE1: Final[Figures] = {
    "renders": {"dino": 0.774, "clip-i": 0.885},
    "dreambooth": {"dino": 0.696, "clip-i": 0.812, "clip-t": 0.306},
    "textual-inversion": {"dino": 0.569, "clip-i": 0.780, "clip-t": 0.255},
    "re-imagen": {"dino": 0.600, "clip-i": 0.740, "clip-t": 0.270},
    "student": {"dino": 0.741, "clip-i": 0.819, "clip-t": 0.304},
}
"""DreamBench. DreamBooth is the one on Imagen, which SuTI starts from as well; on Stable Diffusion it has .668, .803
and .305. Its oracle are real pictures of the subject."""

TABLE2: Final[Figures] = {
    "textual-inversion": {"subject": 0.22, "text": 0.64, "photo": 0.90, "overall": 0.14},
    "imagic": {"subject": 0.78, "text": 0.34, "photo": 0.68, "overall": 0.28},
    "null-text": {"subject": 0.20, "text": 0.46, "photo": 0.70, "overall": 0.10},
    "dreambooth": {"subject": 0.88, "text": 0.82, "photo": 0.98, "overall": 0.77},
    "re-imagen": {"subject": 0.70, "text": 0.65, "photo": 0.64, "overall": 0.42},
    "student": {"subject": 0.90, "text": 0.90, "photo": 0.92, "overall": 0.82},
}
"""DreamBench-v2, by people. DreamBooth is the one on Imagen; on Stable Diffusion it has .74, .53, .85 and .47."""
SECONDS: Final = {
    "textual-inversion": 1800,
    "null-text": 300,
    "imagic": 4200,
    "dreambooth": 600,
    "re-imagen": 20,
    "student": 20,
}
"""Table 2's times, in seconds."""
SPACE: Final = {
    "textual-inversion": "$",
    "null-text": "$$",
    "imagic": "$$$$",
    "dreambooth": "$$$",
    "re-imagen": "–",
    "student": "–",
}
"""Table 2's ranks of what must be stored."""

TABLE3: Final[Figures] = {
    "dreambooth": {"subject": 0.88, "text": 0.82, "photo": 0.98, "overall": 0.77},
    "student": {"subject": 0.90, "text": 0.90, "photo": 0.92, "overall": 0.82},
    "dream-suti": {"subject": 0.92, "text": 0.92, "photo": 0.94, "overall": 0.87},
}

FIGURE6: Final[Figures] = {
    f"student-{count}": {"overall": value} for count, value in enumerate((0.64, 0.71, 0.78, 0.80, 0.82), start=1)
}
"""By number of demonstrations."""

UNFILTERED, FILTERED = 0.54, 0.82
"""§5.3: the human score without ΔCLIP, and with the highest threshold, at which it no longer rises."""
