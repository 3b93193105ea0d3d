"""How Sphinx builds the manual; the API pages are made by pydoctor."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

_PACKAGE = Path(__file__).parent.parent / "mosntx" / "__init__.py"
_VERSION = re.search(r'^__version__ = "([^"]+)"$', _PACKAGE.read_text("utf-8"), re.MULTILINE)

project = "mosntx"
author = "The mosntx authors"
copyright = "2026, the mosntx authors"
release = version = _VERSION[1] if _VERSION else ""

extensions: list[str] = []
exclude_patterns = ["_build", "changes", "reference/_*.rst", "performance/_*.rst"]
default_role = "literal"  # single backquotes, as in the docstrings
language = "en"
nitpicky = True

html_theme = "furo"
html_title = f"mosntx {release}"
html_copy_source = False
html_show_sphinx = False


def _writeReference(_app: object) -> None:
    """Write the tables of configuration keys from the schema of the installed package."""
    from mosntx.config.mosnfields import mosnFieldsRst
    from mosntx.config.reference import referenceRst
    from mosntx.service.catalog import standardCatalog

    folder, names = Path(__file__).parent / "reference", standardCatalog().names()
    (folder / "_configuration.rst").write_text(referenceRst(names), "utf-8")
    (folder / "_mosn-fields.rst").write_text(mosnFieldsRst(names), "utf-8")


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.connect("builder-inited", _writeReference)
