"""What tox runs to check the project; nothing here is installed."""
