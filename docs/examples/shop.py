from __future__ import annotations

from twisted.application import service, strports
from twisted.web import server, static

from mosntx.service import Sidecar

application = service.Application("shop")
page = static.Data(b"hello from the shop\n", "text/plain")
page.isLeaf = True
shop = strports.service("tcp:2047:interface=127.0.0.1", server.Site(page))
shop.setServiceParent(application)
Sidecar.fromFile("conf/embedded.yaml").setServiceParent(application)
