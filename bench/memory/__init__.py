"""What things cost in memory: ``python -m bench.memory``."""
