"""ICC profiles of every space, as bytes, and what they make of samples."""

import io
import struct

from PIL import Image, ImageCms


def _profile(space: bytes, tags: dict[bytes, bytes], pcs: bytes = b"XYZ ") -> bytes:
    place = 128 + 4 + 12 * len(tags)
    table, contents = struct.pack(">L", len(tags)), b""
    for name, content in tags.items():
        table += struct.pack(">4sLL", name, place + len(contents), len(content))
        contents += content + bytes(-len(content) % 4)
    white = struct.pack(">3l", 63190, 65536, 54061)
    header = struct.pack(">L4sL4s4s4s", 0, b"", 0x02400000, b"mntr", space, pcs) + bytes(12) + b"acsp" + bytes(28)
    size = struct.pack(">L", place + len(contents))
    return size + (header + white).ljust(128, b"\0")[4:] + table + contents


def gray(gamma: float) -> bytes:
    """A profile of gray samples."""
    curve = b"curv" + bytes(4) + struct.pack(">LH", 1, round(gamma * 256))
    white = b"XYZ " + bytes(4) + struct.pack(">3l", 63190, 65536, 54061)
    return _profile(b"GRAY", {b"wtpt": white, b"kTRC": curve})


def only_a_header(space: bytes) -> bytes:
    """A profile of a space that cannot be used for anything."""
    return _profile(space, {})


SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
LAB = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()


def shown(image: Image.Image) -> Image.Image:
    """What a colour-managed viewer shows, in sRGB on white."""
    profile = image.info.get("icc_profile") or SRGB
    alpha = image.getchannel("A") if image.mode in ("LA", "RGBA") else None
    flat = image.convert("L" if profile[16:20] == b"GRAY" else "RGB")
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    managed = ImageCms.profileToProfile(flat, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    if alpha:
        managed.putalpha(alpha)
        managed = Image.alpha_composite(Image.new("RGBA", managed.size, "white"), managed)
    return managed.convert("RGB")
