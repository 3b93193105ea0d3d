"""Load generators: how each is called and how its report is read."""
