"""Decoding the samples of an opened picture."""

from PIL import Image

from ..errors import PictureError
from .notes import note
from .tiff import forget_orientation_of_xmp


def load(image: Image.Image) -> None:
    """Decode the samples of one frame; that there are others is noted.

    Raises:
        PictureError: they cannot be decoded.
    """
    try:
        frames = getattr(image, "n_frames", 1)
        forget_orientation_of_xmp(image)
        image.load()
    except MemoryError:
        raise
    except Exception as error:  # Pillow's plugins raise whatever their libraries do
        raise PictureError(f"cannot be read ({error})") from error
    if frames > 1:
        note(f"only frame {image.tell() + 1} of {frames} is kept")
