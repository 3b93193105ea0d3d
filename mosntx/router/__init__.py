"""From a request head to the rule that governs it, compiled once from the configuration."""
