"""SSIMULACRA2 as a loss: how far one picture is from another for eyes, with a gradient.

Sneyers, "SSIMULACRA 2" (github.com/cloudinary/ssimulacra2, version 2.1): both pictures in XYB, a space of opponent
colours made of cube roots of linear light, on scales of 2x2 averages; on each scale maps of what differs in structure
(Wang et al. 2004, SSIM), which edges were added and which were lost; of each map the mean or the 4-norm; and a sum of
these, weighted as opinions of people were fitted. Terms whose published weight is below 0.01 are left out here.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

X, Y, B = range(3)
STRUCTURE, ADDED, LOST = range(3)
MEAN, NORM4 = range(2)

# By scale, from the full size on: channel, map, norm, weight.
TERMS = (
    ((Y, STRUCTURE, NORM4, 7.466890328078848), (Y, LOST, NORM4, 17.445833984131262)),
    (
        (X, STRUCTURE, NORM4, 1.1041726426657346),
        (Y, STRUCTURE, NORM4, 6.683678146179332),
        (Y, LOST, NORM4, 1.027889937768264),
    ),
    (
        (X, STRUCTURE, NORM4, 1.8422455520539298),
        (X, ADDED, NORM4, 11.441172603757666),
        (Y, STRUCTURE, MEAN, 225.20515300849274),
        (Y, STRUCTURE, NORM4, 19.213238186143016),
    ),
    (
        (X, STRUCTURE, NORM4, 1.8787594979546387),
        (X, ADDED, NORM4, 10.94906990605142),
        (Y, STRUCTURE, MEAN, 176.39317598450694),
        (Y, STRUCTURE, NORM4, 24.43300999870476),
        (Y, ADDED, NORM4, 0.28520802612117757),
        (B, STRUCTURE, NORM4, 8.826982764996862),
        (B, ADDED, NORM4, 23.19243343998926),
    ),
    (
        (X, ADDED, MEAN, 0.9677937080626833),
        (X, ADDED, NORM4, 0.9981766977854967),
        (Y, STRUCTURE, NORM4, 34.77906344483772),
        (Y, ADDED, NORM4, 44.835625328877896),
        (B, STRUCTURE, MEAN, 95.1080498811086),
        (B, ADDED, MEAN, 0.9863978034400682),
        (B, LOST, MEAN, 0.9834382792465353),
        (B, ADDED, NORM4, 171.2667255897307),
        (B, LOST, NORM4, 0.9807858872435379),
    ),
)

SIDE_MIN = 8
_ABSORBANCE = (
    (0.30, 0.622, 0.078),
    (0.23, 0.692, 0.078),
    (0.24342268924547819, 0.20476744424496821, 0.5518098665095536),
)
_BIAS = 0.0037930732552754493
_C2 = 0.0009
_RADIUS, _SIGMA = 5, 1.5
_TINY = 1e-24  # keeps the gradient of the fourth root finite, and costs 0.1 points


def ssimulacra2_distance(picture: Tensor, other: Tensor) -> Tensor:
    """100 less SSIMULACRA2, in points, of each pair of a batch, [B].

    Args:
        picture: the originals, [B, 3, H, W], sRGB in 0..1, at least 8 on a side.
        other: what is shown of them, alike; may leave 0..1 a little.
    """
    ours, theirs = _linear(picture), _linear(other)
    total = torch.zeros(len(picture), device=picture.device)
    for scale, terms in enumerate(TERMS):
        if scale:
            ours, theirs = F.avg_pool2d(ours, 2), F.avg_pool2d(theirs, 2)
        if min(ours.shape[2:]) < SIDE_MIN:
            break
        channels = sorted({channel for channel, *_ in terms})
        maps = _maps(_xyb(ours)[:, channels], _xyb(theirs)[:, channels])
        for channel, kind, norm, weight in terms:
            plane = maps[kind][:, channels.index(channel)]
            total = total + weight * (plane.mean((1, 2)) if norm == MEAN else _norm4(plane))
    return _to_points(total)


def _linear(srgb: Tensor) -> Tensor:
    """Linear light of sRGB samples (IEC 61966-2-1)."""
    return torch.where(srgb <= 0.04045, srgb / 12.92, ((srgb.clamp_min(1e-4) + 0.055) / 1.055) ** 2.4)


def _xyb(linear: Tensor) -> Tensor:
    """X (red to green), Y (brightness) and B (blue less brightness), moved and scaled to be mostly in 0..1."""
    absorbance = torch.tensor(_ABSORBANCE, device=linear.device)
    mixed = torch.einsum("oc,bchw->bohw", absorbance, linear).clamp_min(0) + _BIAS
    long, medium, short = (mixed ** (1 / 3) - _BIAS ** (1 / 3)).unbind(1)
    x, y = (long - medium) / 2, (long + medium) / 2
    return torch.stack([14 * x + 0.42, y + 0.01, short - y + 0.55], 1)


def _maps(ours: Tensor, theirs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What differs in structure, edges that were added, edges that were lost; all 0 for equal planes [B, C, H, W]."""
    blurred = _blur(torch.cat([ours, theirs, ours * ours, theirs * theirs, ours * theirs], 1))
    mean_ours, mean_theirs, square_ours, square_theirs, product = blurred.chunk(5, 1)
    luminance = 1 - (mean_ours - mean_theirs) ** 2
    covariance = 2 * (product - mean_ours * mean_theirs) + _C2
    variances = square_ours - mean_ours**2 + square_theirs - mean_theirs**2 + _C2
    edges = (1 + (theirs - mean_theirs).abs()) / (1 + (ours - mean_ours).abs()) - 1
    return F.relu(1 - luminance * covariance / variances), F.relu(edges), F.relu(-edges)


def _blur(planes: Tensor) -> Tensor:
    """Gaussian blur of sigma 1.5, edges reflected."""
    places = torch.arange(-_RADIUS, _RADIUS + 1, device=planes.device)
    taps = torch.exp(-0.5 * (places / _SIGMA) ** 2)
    channels = planes.shape[1]
    kernel = (taps / taps.sum()).view(1, 1, -1, 1).expand(channels, 1, -1, 1)
    padded = F.pad(planes, (_RADIUS,) * 4, mode="reflect")
    return F.conv2d(F.conv2d(padded, kernel, groups=channels), kernel.transpose(2, 3), groups=channels)


def _norm4(plane: Tensor) -> Tensor:
    return ((plane**4).mean((1, 2)) + _TINY) ** 0.25


def _to_points(total: Tensor) -> Tensor:
    """The published polynomial and power that turn the weighted sum into points."""
    scaled = 0.9562382616834844 * total
    curved = 2.326765642916932 * scaled - 0.020884521182843837 * scaled**2 + 6.248496625763138e-05 * scaled**3
    return 10 * curved.clamp_min(1e-3) ** 0.6276336467831387
