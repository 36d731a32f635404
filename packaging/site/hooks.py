"""What MkDocs builds the site from besides the pages of docs/: pages of the repository's root, and
reference that is made from code.

A page has reference made in place of the line `<!-- generated: NAME -->`, NAME being a key of
GENERATORS.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from posixpath import relpath
from typing import TYPE_CHECKING

from mkdocs.plugins import get_plugin_logger
from mkdocs.structure.files import File, Files

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.pages import Page

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(Path(__file__).parent))

import code_reference
import zeek_reference

from mailtap.report.schema import schema

#: Pages of the site that are elsewhere in the repository.
ROOT_PAGES = {
    "CHANGES.md": "changes.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "explanation/security.md",
    "packaging/README.md": "guides/service.md",
}

GENERATORS: Mapping[str, Callable[[], str]] = {
    "session_fields": code_reference.session_fields,
    "label_formats": code_reference.label_formats,
    "policy": code_reference.policy,
    "metrics": code_reference.metrics,
    "glossary": code_reference.glossary,
    "zeek": lambda: zeek_reference.markdown(zeek_reference.read_package(CHECKOUT / "zeek")),
}

_MARK = re.compile(r"^<!-- generated: (\w+) -->$", re.MULTILINE)
_LINK = re.compile(r"\[([^\]]+)\]\((?!https?:|mailto:|#)([^)#\s]*)(#[^)\s]*)?\)")

#: What a browser loads by itself from another host.
_LOADED = re.compile(
    r"<(?:script|link|img|iframe|source)\b[^>]*?\b(?:src|href)=\"((?:https?:)?//[^\"]+)"
)

log = get_plugin_logger("mailtap")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    for source, page in ROOT_PAGES.items():
        text = (CHECKOUT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=text))
    document = json.dumps(schema(), indent=2) + "\n"
    files.append(File.generated(config, "reference/report.schema.json", content=document))
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    def generated(mark: re.Match[str]) -> str:
        if mark[1] not in GENERATORS:
            log.warning("%s: nothing is called %s", page.file.src_uri, mark[1])
            return ""
        return GENERATORS[mark[1]]()

    markdown = _MARK.sub(generated, markdown)
    return _LINK.sub(lambda link: _site_link(link, page.file.src_uri), markdown)


def on_post_page(output: str, page: Page, **_: object) -> str:
    """A page must load nothing from elsewhere: sensors' networks have no internet."""
    for address in _LOADED.findall(output):
        log.warning("%s: loads %s", page.file.src_uri, address)
    return output


def _site_link(link: re.Match[str], page: str) -> str:
    """A link to a file of the repository, as it has to be on the site: to the page that the file is
    on it, or the file's name where it is on none.
    """
    text, target, anchor = link[1], link[2], link[3] or ""
    source = next((root for root, uri in ROOT_PAGES.items() if uri == page), f"docs/{page}")
    found = Path(CHECKOUT / source).parent.joinpath(target).resolve()
    if not found.exists() or not found.is_relative_to(CHECKOUT):
        return link[0]  # MkDocs itself warns about it
    name = found.relative_to(CHECKOUT).as_posix()
    if name in ROOT_PAGES:
        uri = ROOT_PAGES[name]
    elif name.startswith("docs/") and found.is_file():
        uri = name.removeprefix("docs/")
    else:
        return f"`{name}`" if text.strip("`") == name else f"{text} (`{name}`)"
    return f"[{text}]({relpath(uri, Path(page).parent.as_posix())}{anchor})"
