"""``python -m bench.hotpath``, see bench/README.md."""

from __future__ import annotations

import sys

from bench.hotpath.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
