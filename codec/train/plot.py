"""The training log as a picture."""

from pathlib import Path

from .checkpoint import LogRow


def plot_log(log: list[LogRow], path: Path) -> None:
    """Loss and validation score over steps, as PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot(xlabel="step", ylabel="loss")
    axes.plot([row.step for row in log], [row.loss for row in log], label="loss")
    scored = [(row.step, row.score) for row in log if row.score is not None]
    axes.plot(*zip(*scored, strict=True), "o-", label="validation score")
    axes.legend()
    axes.grid(alpha=0.3)
    figure.savefig(path)
