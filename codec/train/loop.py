"""The training loop: first everything together, then, for a fixed encoder, the rest of the codec.

As long as the analysis is trained, rates are those of latents with noise, which are not those of files. The last part
of the schedule trains the decoder and the entropy model on rounded latents ("soft then hard", Guo et al. 2021).
"""

import copy
import math
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from ..errors import AezError
from ..format.quality import QUALITY_MAX
from ..metrics.fidelity import MSE_MIN, psnr_of
from ..nn.codec import Codec, Coded, random_qualities
from ..nn.loss import LossName, measure
from ..nn.params import Params, save_params
from ..nn.precision import tensor_float_32
from ..nn.quantize import Rates
from . import klt
from .checkpoint import Checkpoint, LogRow, Settings, write_log
from .data import Crops

WARMUP_STEPS = 100
FIXED_ENCODER_SHARE = 0.3  # of the part of the schedule in which the rate decays
FIXED_ENCODER_RATE = 0.5  # its learning rate, as a share of that of the first part
EMA_DECAY = 0.999
GENERATED_SHARE = 1 / 8
REPORT_SECONDS, VALIDATE_SECONDS = 10, 300
LONGEST_STEP_SECONDS = 120.0  # what takes longer was a pause, and no part of the schedule
VALIDATION_QUALITIES = (0.1, 0.3, 0.5, 0.7, 0.9)
KLT_BATCHES, KLT_CROPS, KLT_CROP = 8, 64, 128


class Trainer:
    """Network, its moving average, optimizer and schedule; `run` trains to the end of the schedule."""

    def __init__(self, codec: Codec, crops: Crops, validation: Tensor, settings: Settings, compiled: bool) -> None:
        self.settings = settings
        self.crops = crops
        self.validation = validation
        self.device = crops.pictures[0].device
        self.codec = codec.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.ema = copy.deepcopy(self.codec)
        self.optimizer = torch.optim.Adam(self.codec.parameters(), settings.learning_rate, (0.9, 0.99), fused=True)
        self.forward = torch.compile(self.codec) if compiled else self.codec
        self.measure = torch.compile(measure) if compiled else measure
        self.step = 0
        self.fixed_encoder_from: int | None = None
        self.seconds = 0.0
        self.log: list[LogRow] = []

    def start_from_klt(self) -> None:
        """Initialize the linear layers from crops of the training pictures."""
        size = min(KLT_CROP, self.settings.crop)
        patches = [
            F.unfold(self.crops.batch(KLT_CROPS, size), 16, stride=16).transpose(1, 2).reshape(-1, 3, 16, 16)
            for _ in range(KLT_BATCHES)
        ]
        klt.initialize(self.codec, torch.cat(patches))
        self.ema.load_state_dict(self.codec.state_dict())

    def progress(self) -> float:
        """Share of the schedule that is done, 0 to 1."""
        settings = self.settings
        done = self.step / settings.steps if settings.minutes is None else self.seconds / (60 * settings.minutes)
        return min(done, 1.0)

    def run(self, report: Callable[[LogRow], None], folder: Path) -> None:
        """Train to the end of the schedule; a checkpoint and the log are written at every validation.

        Raises:
            AezError: the loss is no longer finite; the last checkpoint stays as it was.
        """
        recent: list[Tensor] = []
        reported = validated = self.seconds
        looked = time.monotonic()
        while self.progress() < 1:
            recent.append(self.train_step())
            now = time.monotonic()
            self.seconds += min(now - looked, LONGEST_STEP_SECONDS)
            looked = now
            finished = self.progress() >= 1
            due = finished or self.seconds - validated >= VALIDATE_SECONDS
            if due or self.seconds - reported >= REPORT_SECONDS:
                loss, bpp, log_mse = torch.stack(recent).mean(0).tolist()
                if not math.isfinite(loss):
                    raise AezError(f"step {self.step}: the loss is not finite; a lower --learning-rate may help")
                score = self.validate() if due else None
                row = LogRow(
                    self.step, self.seconds, self.learning_rate(), loss, bpp, psnr_of(math.exp(log_mse)), score
                )
                self.log.append(row)
                report(row)
                recent, reported = [], self.seconds
            if due:
                validated = self.seconds
                self.checkpoint().save(folder / "checkpoint.pt")
                save_params(Params(self.ema, self.settings.loss), folder / "params.safetensors")
                write_log(self.log, folder / "log.csv")

    def learning_rate(self) -> float:
        """Linear warm-up, constant up to the decay, then a cosine to zero; another one with a fixed encoder."""
        peak, started = self.settings.learning_rate, 0
        decay_from, decay_to = 1 - self.settings.decay, self.joint_share()
        if self.fixed_encoder_from is not None:
            peak, started = FIXED_ENCODER_RATE * peak, self.fixed_encoder_from
            decay_from, decay_to = decay_to, 1.0
        decayed = (self.progress() - decay_from) / max(decay_to - decay_from, 1e-9)
        cosine = 0.5 * (1 + math.cos(math.pi * min(max(decayed, 0), 1)))
        return peak * min(1, (self.step - started + 1) / WARMUP_STEPS) * cosine

    def joint_share(self) -> float:
        """Share of the schedule in which everything is trained together."""
        return 1 - FIXED_ENCODER_SHARE * self.settings.decay

    def _fix_encoder(self) -> None:
        self.codec.load_state_dict(self.ema.state_dict())
        self.codec.fix_encoder()
        self.fixed_encoder_from = self.step

    def train_step(self) -> Tensor:
        """One step of gradient descent; returns loss, bpp and ln(MSE) of the batch, [3], without waiting for them."""
        settings = self.settings
        if self.fixed_encoder_from is None and self.progress() >= self.joint_share():
            self._fix_encoder()
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate()
        picture = self.crops.batch(settings.batch, settings.crop)
        quality = random_qualities(settings.batch).to(self.device)
        generated = (torch.rand(settings.batch) < GENERATED_SHARE).to(self.device)
        self.optimizer.zero_grad(set_to_none=True)
        means = self._add_gradients(picture, quality, generated)
        torch.nn.utils.clip_grad_norm_(self.codec.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1
        decay = min(EMA_DECAY, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for average, parameter in zip(self.ema.parameters(), self.codec.parameters(), strict=True):
                average.lerp_(parameter, 1 - decay)
        return means

    def _add_gradients(self, picture: Tensor, quality: Tensor, generated: Tensor) -> Tensor:
        """Back-propagate the loss of a batch; returns loss, bpp and ln(MSE), [3]."""
        rates = Rates.NOISE if self.fixed_encoder_from is None else Rates.ROUNDED
        with tensor_float_32(allowed=True):
            coded = self.forward(picture, quality, rates, generated)
        outputs = [coded.high, coded.medium, coded.base_bits, coded.enhancement_bits]
        leaves = [output.detach().requires_grad_() for output in outputs]
        with tensor_float_32(allowed=False):
            terms = self.measure(Coded(*leaves), picture, quality, self.settings.loss)
            loss = terms.loss(generated)
            torch.autograd.backward(loss)
        with tensor_float_32(allowed=True):
            torch.autograd.backward(outputs, [leaf.grad for leaf in leaves])
        return torch.stack([loss, terms.bpp.mean(), terms.high_mse.clamp_min(MSE_MIN).log().mean()]).detach()

    @torch.no_grad()
    def validate(self) -> float:
        """Mean over validation crops and qualities of ln(rate + lambda * distortion) of the averaged weights."""
        return score(self.ema, self.validation, self.settings.loss)

    def checkpoint(self) -> Checkpoint:
        """The state of the run."""
        return Checkpoint(
            architecture=self.codec.arch,
            settings=self.settings,
            codec=self.codec.state_dict(),
            ema=self.ema.state_dict(),
            validation=self.validation,
            optimizer=self.optimizer.state_dict(),
            crops_rng=dict(self.crops.random.bit_generator.state),
            torch_rng=torch.get_rng_state(),
            cuda_rng=torch.cuda.get_rng_state_all(),
            step=self.step,
            fixed_encoder_from=self.fixed_encoder_from,
            seconds=self.seconds,
            log=self.log,
        )

    def branch(self, checkpoint: Checkpoint) -> None:
        """Begin a schedule with what a run of the same architecture has learned, its optimizer's state included."""
        self.codec.load_state_dict(checkpoint.codec)
        self.ema.load_state_dict(checkpoint.ema)
        self.optimizer.load_state_dict(checkpoint.optimizer)

    def resume(self, checkpoint: Checkpoint) -> None:
        """Go on with the schedule of a run of the same architecture."""
        self.branch(checkpoint)
        self.crops.random.bit_generator.state = checkpoint.crops_rng
        torch.set_rng_state(checkpoint.torch_rng)
        torch.cuda.set_rng_state_all(checkpoint.cuda_rng[: torch.cuda.device_count()])
        self.step, self.seconds, self.log = checkpoint.step, checkpoint.seconds, checkpoint.log
        if self.progress() >= self.joint_share() and checkpoint.fixed_encoder_from is not None:
            self.fixed_encoder_from = checkpoint.fixed_encoder_from
            self.codec.fix_encoder()


@torch.no_grad()
def score(codec: Codec, pictures: Tensor, loss: LossName) -> float:
    """Mean over pictures [N, 3, H, W] of uint8 and over qualities of ln(rate + lambda * distortion); 0.01 is 1 %."""
    costs = []
    for share in VALIDATION_QUALITIES:
        for chunk in torch.split(pictures, 8):
            picture = chunk.float() / 255
            quality = torch.full((len(chunk),), float(round(share * QUALITY_MAX)), device=chunk.device)
            with tensor_float_32(allowed=False):
                coded = codec(picture, quality, Rates.FILE)
                costs.append(measure(coded, picture, quality, loss).cost().log())
    return torch.cat(costs).mean().item()
