"""From the options of `aez batch` to what it does to each file."""

from typing import Any

import click
from click.core import ParameterSource

from ..jobs import Decoding, Encoding, Job
from ..model.registry import find_by_name
from ..terminal.options import QUALITY_PARAMETERS


def chosen_job(context: click.Context, options: dict[str, Any], threads: int, measure: bool) -> Job:
    """What a batch does to each file.

    Raises:
        UsageError: an option is of the other direction, or does not go with another.
        ModelError: there is no such model.
    """
    decoding = ("res", "upscale")
    encode_options = ("exact", "layers", "coding", "effort", "model", "strip", "strip_gps")
    encoding = (*QUALITY_PARAMETERS, *encode_options, "skip_larger", "min_psnr")
    word = "with" if options["to"] else "without"
    for name in encoding if options["to"] else decoding:
        if context.get_parameter_source(name) is not ParameterSource.DEFAULT:
            raise click.UsageError(f"--{name.replace('_', '-')} has no meaning {word} --to")
    if (options["skip_larger"] or options["min_psnr"] is not None) and (options["strip"] or options["strip_gps"]):
        raise click.UsageError("originals that --skip-larger or --min-psnr keeps are copied whole, unstripped")
    general: Any = {name: options[name] for name in ("device", "max_pixels")} | {"threads": threads}
    if options["to"]:
        return Decoding(options["res"], options["to"], general | {"upscale": options["upscale"]})
    general |= {name: options[name] for name in encode_options}
    model = find_by_name(options["model"])
    general["model"] = str(model.folder.absolute()) if model.origin == "given" else model.name
    return Encoding(options["quality"], general, options["skip_larger"], options["min_psnr"], measure)
