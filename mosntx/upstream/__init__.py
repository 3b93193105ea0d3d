"""Clusters: their hosts, who may be chosen, how many may be used at once."""
