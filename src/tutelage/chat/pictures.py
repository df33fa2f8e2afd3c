"""Pictures as part of a message."""

import base64
import io
from typing import Final

from PIL import Image, UnidentifiedImageError

from tutelage.diffusion.pictures import decode, png

SENT_AS_THEY_ARE: Final = ("JPEG", "PNG", "WEBP", "GIF")


def data_url(picture: bytes) -> str:
    """A picture file as a `data:` URL; formats that not every server reads become PNG.

    Raises:
        BadInput: the bytes are no picture.
    """
    try:
        form = Image.open(io.BytesIO(picture), formats=SENT_AS_THEY_ARE).format or ""
    except UnidentifiedImageError:
        form, picture = "PNG", png(decode(picture))
    return f"data:{Image.MIME[form]};base64,{base64.b64encode(picture).decode()}"
