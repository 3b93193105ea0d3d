"""What pytest does around each test; trial does most of it by itself."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest
from hypothesis import settings

pytest_plugins = ("tests.leakcheck",)

# A busy machine must not fail a property. Under CI Hypothesis chooses its reproducible profile.
if not os.environ.get("CI"):
    settings.register_profile("mosntx", deadline=None)
    settings.load_profile("mosntx")


@pytest.fixture(scope="session", autouse=True)
def scratchFolder(tmp_path_factory: pytest.TempPathFactory) -> Generator[None]:
    """Run in an empty folder, as trial does: `TestCase.mktemp` writes to the current one."""
    before = os.getcwd()
    os.chdir(tmp_path_factory.mktemp("scratch"))
    yield
    os.chdir(before)
