"""Stream filters, one file each, configuration included."""
