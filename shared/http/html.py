"""HTML responses: the one place that makes them, each with its Content-Security-Policy.

Nothing is loaded, nothing runs, nobody frames it; the page's own style alone is applied.
"""

from __future__ import annotations

import base64
import hashlib
import re

from aiohttp import web

_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)


def html_answer(page: str, status: int = 200, places: str = "'self'") -> web.Response:
    """A page for browsers; `places`: where its forms may lead, in the policy's words."""
    headers = {"Content-Security-Policy": policy_of(page, places)}
    return web.Response(text=page, status=status, content_type="text/html", headers=headers)


def is_wanted(request: web.Request) -> bool:
    """Whether the caller would rather have a page than JSON."""
    return "text/html" in request.headers.get("Accept", "")


def policy_of(page: str, places: str = "'self'") -> str:
    """What the page needs, and nothing else."""
    styles = [f"'sha256-{_digest(style)}'" for style in _STYLE.findall(page)] or ["'none'"]
    return (
        f"default-src 'none'; style-src {' '.join(styles)}; base-uri 'none'; "
        f"form-action {places}; frame-ancestors 'none'"
    )


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
