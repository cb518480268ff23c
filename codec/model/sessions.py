"""ONNX Runtime sessions: on the CPU, on CUDA where it really starts, and the check of exact networks."""

import ctypes
import hashlib
import io
import os
from contextlib import redirect_stdout, suppress
from functools import cache
from typing import TYPE_CHECKING, Literal

import numpy as np

from ..errors import ModelError, first_line
from .tiled import HYPER, LATENTS

if TYPE_CHECKING:
    import onnxruntime

Device = Literal["auto", "cpu", "cuda"]
_FATAL = 4

# From 1.29 on ONNX Runtime reports to Microsoft, unless this is set before it is loaded.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")


def start_session(graph: bytes, threads: int, device: Device) -> "onnxruntime.InferenceSession":
    """An ONNX Runtime session on the CPU, or on CUDA where `device` says so and it really starts.

    `graph` is an ONNX file without external data, which ONNX Runtime would look for in the current folder.

    Raises:
        ValueError: the graph cannot be loaded.
        ModelError: `device` is "cuda" and there is none.
    """
    import onnxruntime

    onnxruntime.disable_telemetry_events()  # on Windows it listens to this alone
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = _FATAL
    options.add_session_config_entry("mlas.enable_gemm_fastmath_arm64_bfloat16", "0")
    options.add_session_config_entry("session.load_model_format", "ONNX")  # its own format is not looked into before
    # Every session has threads of its own; they must not spin on between runs, while those of another work.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    if device != "cpu" and cuda_is_installed():
        # onnxruntime's own fallback would print, and would not tell that it fell back.
        with suppress(Exception):
            providers = [("CUDAExecutionProvider", {"use_tf32": "0"}), "CPUExecutionProvider"]
            session = onnxruntime.InferenceSession(graph, options, providers=providers, enable_fallback=0)
            if "CUDAExecutionProvider" in session.get_providers():
                return session
    if device == "cuda":
        raise ModelError("CUDA does not start on this machine", "--device cpu does without")
    try:
        return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"], enable_fallback=0)
    except Exception as error:  # onnxruntime's exceptions have no common base
        raise ValueError(f"it cannot be loaded ({first_line(error)})") from error


@cache
def cuda_is_installed() -> bool:
    """Whether there are an NVIDIA driver and a runtime that could use it; cheap where there is no driver."""
    if not any(map(_can_load, ("libcuda.so.1", "nvcuda.dll"))):
        return False
    import onnxruntime

    onnxruntime.set_default_logger_severity(_FATAL)
    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        return False
    with redirect_stdout(io.StringIO()):  # it prints what it does not find
        onnxruntime.preload_dlls()
    return True


def _can_load(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def output_hash(session: "onnxruntime.InferenceSession") -> str:
    """SHA-256 over what an exact network makes of a fixed input of two by two blocks.

    Raises:
        ValueError: it fails.
    """
    feeds = {}
    for value in session.get_inputs():
        cells = HYPER.cells if value.name == "hyper" else LATENTS.cells
        shape = [value.shape[1], 1, 1] if value.name == "offset" else [value.shape[1], 2 * cells, 2 * cells]
        pattern = (np.arange(np.prod(shape)) * 7919 % 251 - 125).reshape(1, *shape)
        feeds[value.name] = pattern.astype(np.float32)
    try:
        results = session.run(None, feeds)
    except Exception as error:  # onnxruntime's exceptions have no common base
        raise ValueError(f"it failed ({first_line(error)})") from error
    digest = hashlib.sha256()
    with np.errstate(invalid="ignore"):  # a network that gives no numbers has another hash
        for result in results:
            digest.update(result.astype("<i4").tobytes())
    return digest.hexdigest()
