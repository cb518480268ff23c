"""The latents of one picture, refined by gradient descent: stochastic Gumbel annealing.

Yang, Bamler and Mandt, "Improving Inference for Neural Image Compression" (NeurIPS 2020). Each latent is rounded up or
down at random, the likelier the nearer, in a differentiable way that becomes more decided from pass to pass. Latents
follow the gradient of rate + lambda * distortion, also through the contexts of others. Decoders do not know.
"""

import threading
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..arrays import Floats, Samples
from ..errors import ModelError, first_line
from ..format.blocks import BLOCK
from ..model.networks import TARGET_MAX
from ..model.sessions import Device
from ..model.tiled import CELLS_PER_BLOCK, HYPER, LATENTS, Tile, tiles
from .codec import Coded
from .loss import measure
from .networks import knot_weights
from .params import load_params
from .precision import has_fast_bfloat16
from .quantize import quantize_in_file

PASSES_PER_EFFORT = 25
LEARNING_RATE = 0.02
FIRST_TEMPERATURE, LAST_TEMPERATURE = 0.5, 0.1
HALO = 1  # what is refined there is thrown away again, so that the outermost cells of what networks see may lack
SEED = 1
_MARGIN = 1e-4
_ONE_AT_A_TIME = threading.Lock()  # PyTorch's number of threads is the whole process's


class Refiner:
    """Refines latents through a model's networks in PyTorch."""

    def __init__(self, params: Path, threads: int, device: Device, tile: int) -> None:
        """`params`: a model's params.safetensors; `threads`: 0 for PyTorch's default; `tile`: side of tiles in blocks.

        Raises:
            ModelError: the parameters cannot be read, `device` is "cuda" and PyTorch has none, or CUDA fails.
        """
        if device == "cuda" and not torch.cuda.is_available():
            raise ModelError("this PyTorch has no CUDA, which effort would need", "--device cpu does without")
        self._device = torch.device("cuda" if device != "cpu" and torch.cuda.is_available() else "cpu")
        self._bfloat16 = has_fast_bfloat16(self._device)
        self._threads = threads
        self._tile = tile
        loaded = load_params(params)
        self._loss = loaded.loss
        codec = loaded.codec.requires_grad_(False)
        try:
            self._codec = codec.to(self._device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        except RuntimeError as error:
            raise ModelError(f"CUDA failed ({first_line(error)})", "--device cpu does without") from error

    def __call__(
        self, picture: Samples, latents: Floats, hyper: Floats, quality: int, effort: int, base_only: bool
    ) -> Floats:
        """Better latents: fewer bits, or nearer to the picture; [1, C, ceil(H/64) * 4, ceil(W/64) * 4], in step sizes.

        Args:
            picture: uint8 [H, W, 3]; what pads it does not count.
            latents: what the analysis made of it.
            hyper: rounded hyper latents [1, C, ceil(H/64), ceil(W/64)], which stay.
            quality: the stored quality.
            effort: 1 to 9; time is proportional to it.
            base_only: whether the enhancement layer will be left out.

        Raises:
            ModelError: PyTorch fails, for want of memory for instance, or the parameters lead nowhere.
        """
        with _ONE_AT_A_TIME, torch.inference_mode(False), torch.enable_grad():
            try:
                refined = self._refine(picture, latents, hyper, quality, effort, base_only)
            except RuntimeError as error:  # memory, mostly
                raise ModelError(f"effort failed ({first_line(error)})") from error
        if not np.abs(refined).max() <= TARGET_MAX:  # also where they are no numbers
            raise ModelError("effort failed (its latents are out of range)")
        return refined

    def _refine(
        self, picture: Samples, latents: Floats, hyper: Floats, quality: int, effort: int, base_only: bool
    ) -> Floats:
        rows, columns = latents.shape[2] // CELLS_PER_BLOCK, latents.shape[3] // CELLS_PER_BLOCK
        refined = latents.copy()
        threads = torch.get_num_threads()
        torch.set_num_threads(self._threads or threads)
        try:
            for tile in tiles(rows, columns, HALO, self._tile):
                seen = torch.tensor(picture[_seen(tile)], device=self._device)
                result = self._descend(
                    seen.permute(2, 0, 1)[None] / 255,
                    torch.from_numpy(tile.outer(latents, LATENTS)).to(self._device),
                    torch.from_numpy(tile.outer(hyper, HYPER)).to(self._device),
                    torch.tensor([float(quality)], device=self._device),
                    PASSES_PER_EFFORT * effort,
                    torch.tensor([base_only], device=self._device),
                )
                tile.inner(refined, LATENTS)[...] = tile.crop(result.cpu().numpy(), LATENTS)
        finally:
            torch.set_num_threads(threads)
        return refined

    def _descend(
        self, picture: Tensor, latents: Tensor, hyper: Tensor, quality: Tensor, passes: int, generated: Tensor
    ) -> Tensor:
        knots = knot_weights(quality)
        generator = torch.Generator(self._device).manual_seed(SEED)
        refined = latents.clone().requires_grad_(True)
        optimizer = torch.optim.Adam([refined])
        for number in range(passes):
            done = number / passes
            optimizer.param_groups[0]["lr"] = LEARNING_RATE * min(1, 2 * (1 - done))
            temperature = FIRST_TEMPERATURE * (LAST_TEMPERATURE / FIRST_TEMPERATURE) ** done
            rounding = partial(_round_at_random, temperature=temperature, generator=generator)
            quantize = partial(quantize_in_file, rounding=rounding)
            with torch.autocast(self._device.type, torch.bfloat16, enabled=self._bfloat16):
                coded = self._codec.code(refined, hyper, knots, quantize, generated)
            terms = measure(_shown(coded, picture), picture, quality, self._loss)
            optimizer.zero_grad()
            torch.autograd.backward(terms.cost(generated))
            optimizer.step()
        return refined.detach()


def _seen(tile: Tile) -> tuple[slice, slice]:
    """The samples of a picture under a tile with its halo."""
    rows, columns = (slice(BLOCK * start, BLOCK * stop) for start, stop in (tile.outer_rows, tile.outer_columns))
    return rows, columns


def _shown(coded: Coded, picture: Tensor) -> Coded:
    """What a decoder gives: without what pads the picture [1, 3, H, W], and within the range of samples."""
    height, width = picture.shape[2:]
    return replace(
        coded,
        high=coded.high[:, :, :height, :width].clamp(0, 1),
        medium=coded.medium[:, :, : -(-height // 2), : -(-width // 2)].clamp(0, 1),
    )


def _round_at_random(x: Tensor, temperature: float, generator: torch.Generator) -> Tensor:
    """A sample between floor and ceiling, the nearer to one of them the lower the temperature (section 3.2)."""
    floor = torch.floor(x)
    place = (x - floor).clamp(_MARGIN, 1 - _MARGIN)
    chance = torch.rand(x.shape, generator=generator, device=x.device).clamp(_MARGIN, 1 - _MARGIN)
    logit = (torch.atanh(place) - torch.atanh(1 - place)) / temperature + torch.logit(chance)
    return floor + torch.sigmoid(logit / temperature)
