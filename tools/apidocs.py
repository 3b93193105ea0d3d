"""Teaches pydoctor about Twisted's interfaces, its API pages, and today's attrs classes."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import ClassVar

from pydoctor import extensions, model
from pydoctor.astutils import node2fullname
from pydoctor.extensions.zopeinterface import ZopeInterfaceClass
from pydoctor.sphinx import SphinxInventory

TWISTED_PAGES = "https://docs.twisted.org/en/stable/api"
TWISTED_INTERFACES = "twisted.internet.interfaces."
ATTRS_DECORATORS = ("attrs.define", "attrs.frozen", "attrs.mutable")


class TwistedInterfaceVisitor(extensions.ModuleVisitorExt):
    """Marks a class as an interface when it extends one of Twisted's, unread by pydoctor."""

    when = extensions.ModuleVisitorExt.When.AFTER

    def depart_ClassDef(self, node: ast.ClassDef) -> None:
        """Look at the bases of a class that was just read."""
        found = self.visitor.builder.current.contents.get(node.name)
        if not isinstance(found, ZopeInterfaceClass) or found.isinterface:
            return
        if any(base.startswith(TWISTED_INTERFACES) for base in found.bases):
            found.isinterface = True
            found.kind = model.DocumentableKind.INTERFACE
            found.implementedby_directly = []


class FieldsAreParameters(extensions.ClassMixin, model.Class):
    """Lets the docstring of an attrs class describe its fields as parameters."""

    def isAttrsClass(self) -> bool:
        """Return whether attrs writes this class's constructor."""
        return any(
            node2fullname(each.func if isinstance(each, ast.Call) else each, self.module)
            in ATTRS_DECORATORS
            for each in self.raw_decorators or ()
        )

    @property
    def constructor_params(self) -> Mapping[str, ast.expr | None]:
        """Parameter name -> annotation."""
        found = dict(super().constructor_params)
        if self.isAttrsClass():
            for each in reversed(self.mro()):
                for name, content in each.contents.items():
                    if isinstance(content, model.Attribute):
                        found[name.lstrip("_")] = content.annotation
                # A default that is a name, such as `dict`, makes the field an alias for pydoctor.
                found.update(dict.fromkeys(each._localNameToFullName_map))
        return found


def setup_pydoctor_extension(registrar: extensions.ExtRegistrar) -> None:
    """Called by pydoctor when it loads this module as an extension."""
    registrar.register_astbuilder_visitor(TwistedInterfaceVisitor)
    registrar.register_mixin(FieldsAreParameters)


class TwistedPages(SphinxInventory):
    """Links a full name of Twisted to its API page, without fetching their inventory."""

    def getLink(self, name: str) -> str | None:
        """Return the page of a class or module, with the member as its anchor."""
        if not name.startswith("twisted."):
            return None
        parts = name.split(".")
        ends = [index for index, part in enumerate(parts, 1) if part.lstrip("_")[:1].isupper()]
        end = ends[0] if ends else len(parts)
        anchor = "".join(f"#{part}" for part in parts[end : end + 1])
        return f"{TWISTED_PAGES}/{'.'.join(parts[:end])}.html{anchor}"


class System(model.System):
    """A pydoctor system with the extension above."""

    custom_extensions: ClassVar[list[str]] = [__name__]

    def __init__(self, *arguments: object, **options: object) -> None:
        super().__init__(*arguments, **options)
        self.intersphinx = TwistedPages(logger=self.msg)
