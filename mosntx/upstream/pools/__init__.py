"""Connection pools: who may use which connection to a host, and who waits for one."""
