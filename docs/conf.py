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
exclude_patterns = ["_build", "changes", "reference/_balancers.rst", "reference/_configuration.rst"]
default_role = "literal"  # single backquotes, as in the docstrings
language = "en"
nitpicky = True

html_theme = "furo"
html_title = f"mosntx {release}"
html_copy_source = False
html_show_sphinx = False


def _writeReference(_app: object) -> None:
    """Write the tables of all configuration keys from the schema of the installed package."""
    from mosntx.config.reference import referenceRst
    from mosntx.service.catalog import standardCatalog

    target = Path(__file__).parent / "reference" / "_configuration.rst"
    target.write_text(referenceRst(standardCatalog().names()), "utf-8")


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.connect("builder-inited", _writeReference)
