"""What can go wrong, or is worth a note, as one line for a person."""


class AezError(Exception):
    """Anything aez refuses to do; the message says why in one line, `hint` which option of the command line helps."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class FormatError(AezError):
    """The data is not an aez file, or one that this version cannot read."""


class DamagedError(FormatError):
    """The data was an aez file once and is truncated or altered."""


class ModelError(AezError):
    """A model is missing, broken, or computes wrongly on this machine."""


class PictureError(AezError):
    """The input picture cannot be read or is beyond a limit."""


class LimitError(PictureError):
    """The picture is larger than allowed."""


class AezWarning(UserWarning):
    """Something about a picture was converted, left out or generated."""


class QualityWarning(AezWarning):
    """A picture is far from what its quality promises."""


def unreadable(error: BaseException) -> PictureError:
    """What to raise where a library cannot read a picture; some of them only assert that it is well-formed."""
    reason = first_line(error) if str(error) else "it is malformed"
    return PictureError(f"cannot be read ({reason})")


def needs_extra(what: str, package: str, extra: str) -> AezError:
    """What to raise where a package is missing that comes with an extra of aez."""
    return AezError(f"{what} needs {package}: pip install 'aez[{extra}]'")


def first_line(error: BaseException) -> str:
    """What a library's exception says, or is called, without the pages that some of them add."""
    return (str(error) or type(error).__name__).splitlines()[0]
