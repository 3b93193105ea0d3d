"""How the cost of a request grows: ``python -m bench.curves``."""
