"""The latents of one picture, refined by gradient descent: stochastic Gumbel annealing.

Yang, Bamler and Mandt, "Improving Inference for Neural Image Compression" (NeurIPS 2020). Each latent is rounded up or
down at random, the likelier the nearer, in a differentiable way that becomes more decided from pass to pass. Latents
follow the gradient of rate + lambda * distortion, also through the contexts of others. Decoders do not know.
"""

from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from aez.errors import ModelError
from aez.networks import Floats, Picture
from aez.tiles import BLOCK, HYPER, LATENTS, PICTURE, tiles
from aez.train.loss import measure
from aez.train.model import knot_weights, quantize_in_file
from aez.train.params import load_params
from aez.train.precision import has_fast_bfloat16

PASSES_PER_EFFORT = 25
LEARNING_RATE = 0.02
FIRST_TEMPERATURE, LAST_TEMPERATURE = 0.5, 0.1
HALO = 1
SEED = 1
_MARGIN = 1e-4


class Refiner:
    """Refines latents through a model's networks in PyTorch."""

    def __init__(self, params: Path, threads: int, cuda: bool) -> None:
        """`params`: a model's params.safetensors; `threads`: 0 for PyTorch's default."""
        self._device = torch.device("cuda" if cuda and torch.cuda.is_available() else "cpu")
        self._bfloat16 = has_fast_bfloat16(self._device)
        self._threads = threads
        codec = load_params(params).requires_grad_(False)
        self._codec = codec.to(self._device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def __call__(
        self, picture: Picture, latents: Floats, hyper: Floats, quality: int, effort: int, base_only: bool
    ) -> Floats:
        """Latents [1, C, H/16, W/16] in units of the step size that take fewer bits or come nearer to the picture.

        Args:
            picture: uint8 [H, W, 3], sides multiples of 64.
            latents: what the analysis made of it.
            hyper: rounded hyper latents [1, C, H/64, W/64], which stay.
            quality: the stored quality.
            effort: 1 to 9; time is proportional to it.
            base_only: whether the enhancement layer will be left out.

        Raises:
            ModelError: PyTorch fails, for want of memory for instance.
        """
        with torch.inference_mode(False), torch.enable_grad():
            try:
                return self._refine(picture, latents, hyper, quality, effort, base_only)
            except RuntimeError as error:  # memory, mostly
                raise ModelError(f"effort failed ({str(error).splitlines()[0]})") from error

    def _refine(
        self, picture: Picture, latents: Floats, hyper: Floats, quality: int, effort: int, base_only: bool
    ) -> Floats:
        rows, columns = picture.shape[0] // BLOCK, picture.shape[1] // BLOCK
        samples = picture.reshape(8 * rows, 8, 8 * columns, 24)
        refined = latents.copy()
        threads = torch.get_num_threads()
        torch.set_num_threads(self._threads or threads)
        try:
            for tile in tiles(rows, columns, HALO):
                part = torch.from_numpy(tile.outer(samples, PICTURE)).flatten(0, 1)
                result = self._descend(
                    part.reshape(1, len(part), -1, 3).permute(0, 3, 1, 2).to(self._device) / 255,
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
            optimizer.zero_grad()
            torch.autograd.backward(measure(coded, picture, quality).cost(generated))
            optimizer.step()
        return refined.detach()


def _round_at_random(x: Tensor, temperature: float, generator: torch.Generator) -> Tensor:
    """A sample between floor and ceiling, the nearer to one of them the lower the temperature (section 3.2)."""
    floor = torch.floor(x)
    place = (x - floor).clamp(_MARGIN, 1 - _MARGIN)
    chance = torch.rand(x.shape, generator=generator, device=x.device).clamp(_MARGIN, 1 - _MARGIN)
    logit = (torch.atanh(place) - torch.atanh(1 - place)) / temperature + torch.logit(chance)
    return floor + torch.sigmoid(logit / temperature)
