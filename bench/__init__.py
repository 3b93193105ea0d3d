"""The benchmark harness: drives mosntx and other proxies in turns and prints the ratios."""
