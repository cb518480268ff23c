"""HTML files that need nothing else."""

import base64
import html


def document(title: str, style: str, body: str) -> bytes:
    """A page, in the colours that its reader prefers; the title is text, style and body are CSS and HTML."""
    page = f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{html.escape(title)}</title>
<style>
  :root {{ color-scheme: light dark; }}
  body {{ margin: 0 auto; max-width: 100rem; padding: 1rem; font: 15px/1.5 system-ui, sans-serif; }}
{style}
</style>
{body}
</html>
"""
    return page.encode(errors="replace")


def data_url(kind: str, data: bytes) -> str:
    """A file within an address; `kind` is its media type."""
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"
