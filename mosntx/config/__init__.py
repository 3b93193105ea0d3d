"""Configuration: MOSN's schema as frozen classes, and the loader that reads files into them."""
