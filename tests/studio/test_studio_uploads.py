"""Pictures that people bring: hundreds of malformed ones are refused in one sentence; odd but whole ones are read."""

import numpy as np
import pytest
from malformed import FORMATS, damaged, picture, saved, wrong, zipped_text
from PIL import Image
from PIL.Image import Exif

from tutelage.diffusion.pictures import decode
from tutelage.errors import BadInput
from tutelage.studio.uploads import read_upload


def outcome(data: bytes, name: str) -> str:
    """The mode of a picture that was read; anything but `BadInput` is a fault."""
    try:
        return decode(read_upload(data, name).data).mode
    except BadInput as refused:
        return "refused" if str(refused).startswith(name) else str(refused)


def test_what_is_malformed_is_refused_in_one_sentence() -> None:
    cases = list(wrong())
    for name, data in cases:
        with pytest.raises(BadInput, match=f"^{name} ") as refused:
            read_upload(data, name)
        assert "\n" not in str(refused.value)
        assert " at 0x" not in str(refused.value)
    several = list(damaged())
    for name, data in several:
        assert outcome(data, name) in ("RGB", "refused")
    assert len(cases) + len(several) >= 200


def test_a_text_that_unpacks_to_much_is_not_unpacked() -> None:
    assert outcome(zipped_text(), "zipped") in ("RGB", "refused")


@pytest.mark.parametrize("form", FORMATS)
def test_what_is_whole_is_read(form: str) -> None:
    data = saved(picture(), form)
    upload = read_upload(data)
    assert (upload.data, upload.width, upload.height) == (data, 64, 48)


def test_a_picture_is_upright_as_its_exif_says() -> None:
    exif = Exif()
    exif[0x0112] = 6
    upload = read_upload(saved(picture(), "JPEG", exif=exif))
    assert (upload.width, upload.height) == (48, 64)


@pytest.mark.parametrize("mode", ["CMYK", "L", "1"])
def test_other_colours_are_read(mode: str) -> None:
    form = "JPEG" if mode == "CMYK" else "PNG"
    assert decode(read_upload(saved(picture().convert(mode), form)).data).mode == "RGB"


def test_grey_of_16_bits_keeps_its_brightness() -> None:
    half = Image.fromarray(np.full((32, 32), 32768, np.uint16))
    seen = np.asarray(decode(read_upload(saved(half, "PNG")).data))
    assert abs(int(seen.mean()) - 127) <= 1


def test_what_is_transparent_is_on_white() -> None:
    clear = Image.new("RGBA", (32, 32), (0, 0, 0, 0))
    assert np.asarray(decode(read_upload(saved(clear, "PNG")).data)).min() == 255
