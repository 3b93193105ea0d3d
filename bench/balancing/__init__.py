"""How the running daemon spreads requests over hosts, and what clients notice of hosts that fail."""
