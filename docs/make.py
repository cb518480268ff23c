"""Make what is generated of the documentation: docs/cli.md, docs/api.md and the man pages in docs/man.

python docs/make.py            write them
python docs/make.py --check    say which are not current, with exit code 1
"""

import inspect
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any, is_typeddict

import click
from click_man.core import write_man_pages

import aez
from aez.cli import main as cli

HERE = Path(__file__).parent
WIDTH = 100
MAN_DATE = "2026-11-28"
GENERATED = "<!-- made by docs/make.py -->"


def main() -> None:
    pages = {
        HERE / "cli.md": command_line(),
        HERE / "api.md": python_interface(),
        **{HERE / "man" / name: text for name, text in man_pages().items()},
    }
    stale = sorted(
        {path for path, text in pages.items() if not path.exists() or path.read_text() != text}
        | {path for path in (HERE / "man").glob("*.1") if path not in pages}
    )
    if "--check" in sys.argv:
        for path in stale:
            print(f"{path.relative_to(HERE.parent)} is not current: make docs", file=sys.stderr)
        sys.exit(bool(stale))
    for path in stale:
        if path in pages:
            path.parent.mkdir(exist_ok=True)
            path.write_text(pages[path])
        else:
            path.unlink()


def command_line() -> str:
    """What `--help` says of each command, as Markdown."""
    parts = [
        f"# Command line\n\n{GENERATED}",
        'Completion of commands and options: put `eval "$(_AEZ_COMPLETE=bash_source aez)"` into `~/.bashrc`, or\n'
        '`eval "$(_AEZ_COMPLETE=zsh_source aez)"` into `~/.zshrc`; for fish,\n'
        "`_AEZ_COMPLETE=fish_source aez | source` into its configuration. `man aez-encode` works where the package's\n"
        "environment is in `MANPATH`.",
    ]
    for name, text in helps(cli, click.Context(cli, info_name="aez", **cli.context_settings)):
        parts.append(f"## {name}\n\n```\n{text.rstrip()}\n```")
    return "\n\n".join(parts) + "\n"


def helps(command: click.Command, context: click.Context) -> Iterator[tuple[str, str]]:
    """The name and help of a command, and of all below it."""
    context.terminal_width = WIDTH
    yield context.command_path, command.get_help(context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            if found is not None and not found.hidden:
                yield from helps(found, click.Context(found, info_name=name, parent=context))


def python_interface() -> str:
    """Signatures and docstrings of what `aez` exports, as Markdown."""
    parts = [f"# Python\n\n{GENERATED}\n\n{code(inspect.getdoc(aez) or '')}"]
    functions, classes = [], []
    for name in aez.__all__:
        value: Any = getattr(aez, name)
        if inspect.isfunction(value):
            functions.append(f"## {name}\n\n```python\n{signature(name, value)}\n```\n\n{code(documentation(value))}")
        elif inspect.isclass(value):
            has_fields = is_dataclass(value) or is_typeddict(value)
            fields = f"\n\n```python\n{attributes(value)}\n```" if has_fields else ""
            classes.append(f"## {name}{bases(value)}{fields}\n\n{code(documentation(value))}")
        else:
            classes.append(f"## {name}\n\n`{readable(inspect.formatannotation(value))}`")
    return "\n\n".join(parts + functions + classes) + "\n"


def documentation(value: Any) -> str:
    text = inspect.getdoc(value)
    if not text:
        raise SystemExit(f"{value} has no docstring")
    return text


def code(text: str) -> str:
    """A docstring as a block of text, so that its sections keep their lines."""
    summary, _, rest = text.partition("\n")
    return summary + (f"\n\n```text\n{rest.strip()}\n```" if rest.strip() else "")


def signature(name: str, function: Any) -> str:
    """A function with its parameters, one a line."""
    found = inspect.signature(function)
    lines, star = [], False
    for parameter in found.parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and not star:
            lines.append("    *,")
            star = True
        lines.append(f"    {readable(str(parameter))},")
    returns = readable(inspect.formatannotation(found.return_annotation))
    return f"def {name}(\n" + "\n".join(lines) + f"\n) -> {returns}"


def attributes(cls: Any) -> str:
    kinds: dict[str, Any] = cls.__annotations__
    return "\n".join(f"{name}: {readable(inspect.formatannotation(kind))}" for name, kind in kinds.items())


def bases(cls: type) -> str:
    found = [base.__name__ for base in cls.__bases__ if base is not object]
    return f" ({', '.join(found)})" if found else ""


def readable(annotation: str) -> str:
    """A type without the modules that it comes from."""
    for prefix in ("PIL.Image.", "aez.coding.targets.", "aez.api.", "os.", "typing."):
        annotation = annotation.replace(prefix, "")
    return annotation.replace("'", '"')


def man_pages() -> dict[str, str]:
    """The man pages of all commands by file name."""
    with tempfile.TemporaryDirectory() as folder:
        write_man_pages("aez", cli, version=aez.__version__, target_dir=folder, date=MAN_DATE)
        return {path.name: path.read_text() for path in sorted(Path(folder).iterdir())}


if __name__ == "__main__":
    main()
