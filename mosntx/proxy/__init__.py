"""THE REQUEST: from its first octet to its line in the access log."""
