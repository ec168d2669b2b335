"""A template becomes a page: one environment a language, with the filters and texts that every page needs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pes_search.service.access.visitor import visitor_or_none
from pes_search.service.web import links
from pes_search.service.web.languages import LANGUAGES, interface, interface_of, text_direction

HERE = Path(__file__).parent
HEADERS = {"Vary": "Accept-Language, Cookie", "Cache-Control": "private, no-cache"}  # a page is its visitor's own


def render(request: Request, template: str, context: Mapping[str, Any], status: int = 200) -> HTMLResponse:
    """Return a page in the visitor's language."""
    text = fragment(request, template, context)
    headers = HEADERS | {"Content-Language": interface_of(request).code}
    return HTMLResponse(text, status_code=status, headers=headers)


def fragment(request: Request, template: str, context: Mapping[str, Any]) -> str:
    """Return a rendered template, or a part of one."""
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    common = {
        "request_path": request.url.path,
        "here": here,
        "languages": LANGUAGES,
        "version": static_version(),
        "visitor": visitor_or_none(request),
    }
    return environment(interface_of(request).code).get_template(template).render({**common, **context})


@cache
def environment(code: str) -> Environment:
    """Return the templates in a language of the interface."""
    page_interface = interface(code)
    env = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
    )
    env.install_gettext_translations(page_interface.translations, newstyle=True)  # type: ignore[attr-defined]
    env.policies["ext.i18n.trimmed"] = True
    env.globals |= {"interface": page_interface, "links": links}
    env.filters |= {
        "country": page_interface.country,
        "date": page_interface.date,
        "direction": text_direction,
        "language": page_interface.language,
        "number": page_interface.number,
        "path": lambda text: quote(text, safe=""),
        "percent": page_interface.percent,
        "time": page_interface.time,
    }
    return env


@cache
def static_version() -> str:
    """Return what changes with the style sheet and the script, so that browsers may keep them for ever."""
    digest = hashlib.sha256()
    for path in sorted((HERE / "static").iterdir()):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
