"""NET/IO: everything that touches sockets and octets (capabilities N1 to N6)."""
