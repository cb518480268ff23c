"""Puts `cli.py`, which lies beside the package's sources, into the package."""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Wheels get a copy; in an editable install the link `codec/cli.py` already leads there."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called before a build; `version` is "standard" or "editable"."""
        if version == "standard":
            build_data["force_include"]["cli.py"] = "aez/cli.py"
