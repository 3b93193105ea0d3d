"""STREAM: requests and responses on connections."""
