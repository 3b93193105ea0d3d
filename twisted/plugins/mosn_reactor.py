"""The reactor plugin of `twistd --reactor=mosntx`; nothing is imported before it is used."""

from __future__ import annotations

from twisted.application.reactors import Reactor

mosntx = Reactor("mosntx", "mosntx.service.reactor", "epoll with less work per event (mosntx).")
