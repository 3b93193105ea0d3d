"""A mirror of the package; `system` runs the real daemon, `interop` other programs."""
