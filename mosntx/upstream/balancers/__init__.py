"""Load balancers: one file each, with the factory that the catalog lists."""
