"""``python -m mosntx`` is the console script."""

from __future__ import annotations

import sys

from mosntx.service.cli import main

sys.exit(main())
