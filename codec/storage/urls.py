"""URLs as people may see them."""

import re

_USER = re.compile(r"(?<=://)[^/?#\s]*@")
_QUERY = re.compile(r"(://[^?\s]*?)\?.*?(?=::|[\s'\"]|$)")


def without_secrets(text: str) -> str:
    """A text whose URLs have no users, passwords and queries, where signatures are."""
    return _QUERY.sub(r"\1", _USER.sub("", text))
