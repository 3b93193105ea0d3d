"""What one request costs, without sockets: calls, objects and CPU by protocol."""
