"""Names of files as lines of text can show them."""

import unicodedata

_UNSHOWN = ("Cc", "Cs", "Zl", "Zp")  # control characters, bytes that are no UTF-8, separators of lines


def printable(name: object) -> str:
    """A name on one line, whatever bytes it has: a newline becomes a backslash and an n."""
    return "".join(
        letter.encode("unicode_escape").decode() if unicodedata.category(letter) in _UNSHOWN else letter
        for letter in str(name)
    )
