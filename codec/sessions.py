"""ONNX Runtime sessions: on the CPU, on CUDA where it really starts, and the check of exact networks."""

import ctypes
import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from aez.errors import ModelError
from aez.tiles import HYPER, LATENTS

if TYPE_CHECKING:
    import onnxruntime

Device = Literal["auto", "cpu", "cuda"]


def start_session(graph: Path | bytes, threads: int, device: Device) -> "onnxruntime.InferenceSession":
    """An ONNX Runtime session on the CPU, or on CUDA where `device` says so and it really starts.

    Raises:
        ModelError: the graph cannot be loaded, or `device` is "cuda" and there is none.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4
    options.add_session_config_entry("mlas.enable_gemm_fastmath_arm64_bfloat16", "0")
    providers: list[Any] = ["CPUExecutionProvider"]
    if device == "cuda" or (device == "auto" and cuda_driver_present()):
        providers.insert(0, ("CUDAExecutionProvider", {"use_tf32": "0"}))
    try:
        session = onnxruntime.InferenceSession(graph, options, providers=providers)
    except Exception as error:
        name = graph.name if isinstance(graph, Path) else "graph"
        raise ModelError(f"{name}: cannot be loaded ({str(error).splitlines()[0]})") from error
    if device == "cuda" and "CUDAExecutionProvider" not in session.get_providers():
        raise ModelError("CUDA does not start on this machine; use --device cpu")
    return session


@cache
def cuda_driver_present() -> bool:
    """Whether an NVIDIA driver can be loaded; cheap, so that machines without one pay nothing."""
    for library in ("libcuda.so.1", "nvcuda.dll"):
        try:
            ctypes.CDLL(library)
        except OSError:
            continue
        return True
    return False


def check_hash(session: "onnxruntime.InferenceSession") -> str:
    """SHA-256 over what an exact network makes of a fixed input of two by two blocks."""
    feeds = {}
    for value in session.get_inputs():
        cells = HYPER.cells if value.name == "hyper" else LATENTS.cells
        shape = [value.shape[1], 1, 1] if value.name == "offset" else [value.shape[1], 2 * cells, 2 * cells]
        pattern = (np.arange(np.prod(shape)) * 7919 % 251 - 125).reshape(1, *shape)
        feeds[value.name] = pattern.astype(np.float32)
    digest = hashlib.sha256()
    for result in session.run(None, feeds):
        digest.update(result.astype("<i4").tobytes())
    return digest.hexdigest()
