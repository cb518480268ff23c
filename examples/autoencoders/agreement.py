"""What two codes have in common."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import orthogonal_procrustes
from torch import Tensor


@dataclass(frozen=True)
class Agreement:
    """What two codes of the same places [P, K] have in common, as shares of the variance of the second."""

    name: str
    same: float
    turned: float
    linear: float
    correlation: float

    @classmethod
    def of(cls, name: str, first: Tensor, second: Tensor) -> "Agreement":
        """As they are, after the best rotation and scale (Procrustes), by the best linear map, and their mean
        canonical correlation (CCA)."""
        a, b = (places(code) for code in (first, second))
        rotation, scale = orthogonal_procrustes(a, b)
        turned = a @ rotation * scale / (a**2).sum()
        linear = a @ np.linalg.lstsq(a, b, rcond=None)[0]
        same, by_turning, by_map = (1 - ((found - b) ** 2).sum() / (b**2).sum() for found in (a, turned, linear))
        correlations = np.linalg.svd(np.linalg.qr(a).Q.T @ np.linalg.qr(b).Q, compute_uv=False)
        return cls(name, same, by_turning, by_map, correlations.mean())

    def cells(self) -> list[str]:
        """Of the table."""
        return [self.name, *(f"{share:.0%}" for share in (self.same, self.turned, self.linear, self.correlation))]


def places(code: Tensor) -> NDArray[np.float64]:
    """[N, K, h, w] -> centred [N h w, K]."""
    rows = code.permute(0, 2, 3, 1).flatten(0, 2).double().numpy()
    return np.asarray(rows - rows.mean(0))
