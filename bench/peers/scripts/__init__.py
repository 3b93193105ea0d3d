"""Proxies that are Python scripts. They are run by path, import nothing of ours, serve one run."""
