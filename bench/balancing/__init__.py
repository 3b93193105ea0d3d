"""How the running daemon spreads requests, and what clients notice of hosts that fail."""
