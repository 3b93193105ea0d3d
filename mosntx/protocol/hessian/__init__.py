"""Hessian, read for what headers need, and the few values that we write.

Three grammars occur:

- Hessian 1: objects are typed maps.
- Hessian 2 as its draft had it, which SOFA's peers write: ``O`` defines a class and its first
  instance follows, ``o`` is an instance, ``J K R`` are references, ``z`` ends maps and lists.
- Hessian 2 as it was published, called *final* here: ``C`` defines a class, ``O`` and 0x60-0x6f are
  instances, ``Q`` is a reference, ``Z`` ends maps and lists.

`mosntx.protocol.hessian.walker` finds fields in octets; `mosntx.protocol.hessian.values` reads and
writes single values. Nothing here makes an object of what a peer sends.
"""
