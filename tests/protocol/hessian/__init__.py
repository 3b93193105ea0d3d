"""Tests of `mosntx.protocol.hessian`."""
