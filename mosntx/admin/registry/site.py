"""The paths of the registry API.

Every answer of a known path is HTTP 200 with JSON, also one that says that something failed.

Source: wire/registry.md (MOSN pkg/upstream/servicediscovery/confreg, in the open until June 2018).
"""

from __future__ import annotations

import json
from abc import abstractmethod
from typing import Any, ClassVar, Final
from urllib.parse import unquote

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.server import NOT_DONE_YET, Request, Site

from mosntx.admin.endpoint import JSON, TEXT, Answer, Endpoint, PostEndpoint, body, write
from mosntx.admin.registry.fields import Fields
from mosntx.admin.registry.view import Application, Publication, RegistryError, RegistryView
from mosntx.admin.server import QuietSite, Root

_log = Logger()

NOT_STARTED: Final = (
    "Registry module not startup. Should call '/configs/application' endpoint at first."
)
#: Answer to a service that nobody knows; no JSON (MOSN).
NO_SERVICES: Final = "The services is empty."
REDACTED: Final = "***REDACTED***"

_SERVICES: Final = b"/services/"
#: What MOSN's module was built with; durations in nanoseconds. Only the last one means anything
#: here, for there is no central registry.
_SETTINGS: Final = {
    "RPCServerPort": 12201,
    "RegistryEndpointPort": 9603,
    "ScheduleCompensateRegisterTaskDuration": 60_000_000_000,
    "ScheduleRefreshConfregServerTaskDuration": 60_000_000_000,
    "ConnectRetryDuration": 5_000_000_000,
    "RegisterTimeout": 3_000_000_000,
    "WaitReceivedDataTimeout": 3_000_000_000,
}


def _json(value: object) -> Answer:
    return Answer(json.dumps(value, separators=(",", ":")), 200, JSON)


def _succeeded(**more: object) -> Answer:
    return _json({"errorMessage": "", "success": True, **more})


def _failed(text: str) -> Answer:
    _log.warn("registry API: a request failed: {text}", text=text)
    return _json({"errorMessage": text, "success": False})


class ApplicationEndpoint(Endpoint):
    """``/configs/application``: announce the application, or ask which one it is."""

    methods: ClassVar[frozenset[bytes] | None] = frozenset({b"GET", b"HEAD", b"POST"})

    def __init__(self, view: RegistryView) -> None:
        super().__init__()
        self._view = view

    def answer(self, request: Request) -> Answer:
        """See `Endpoint.answer`."""
        if request.method == b"POST":
            return self._start(request)
        known = self._view.application() or Application()
        return _json(
            {
                "AntShareCloud": known.antShareCloud,
                "InstanceId": "",
                "DataCenter": known.dataCenter,
                "AppName": known.appName,
                "Zone": known.zone,
                "RegistryEndpoint": known.registryEndpoint,
                "AccessKey": known.accessKey and REDACTED,
                "SecretKey": known.secretKey and REDACTED,
            }
        )

    def _start(self, request: Request) -> Answer:
        try:
            found = Fields(body(request))
            application = Application(
                appName=found.text("appname"),
                dataCenter=found.text("datacenter"),
                zone=found.text("zone"),
                registryEndpoint=found.text("registryendpoint"),
                antShareCloud=found.flag("antsharecloud"),
                accessKey=found.text("accesskey"),
                secretKey=found.text("secretkey"),
            )
        except (ValueError, RecursionError) as error:
            return _failed(
                f"Unmarshal body stream to application info request failed. error = {error}"
            )
        self._view.start(application)
        return _succeeded()


class SettingsEndpoint(Endpoint):
    """``/configs/registry``: MOSN's settings of the module."""

    def answer(self, request: Request) -> Answer:
        """See `Endpoint.answer`."""
        return _json(_SETTINGS)


class ServicesEndpoint(Endpoint):
    """``/services``: all services that were published or subscribed."""

    def __init__(self, view: RegistryView) -> None:
        super().__init__()
        self._view = view

    def answer(self, request: Request) -> Answer:
        """See `Endpoint.answer`."""
        if self._view.application() is None:
            return _failed(NOT_STARTED)
        return _json(self._view.services())


class OtherEndpoint(Endpoint):
    """``/services/<name>``: the addresses of one service by zone. Else there is nothing."""

    def __init__(self, view: RegistryView) -> None:
        super().__init__()
        self._view = view

    def answer(self, request: Request) -> Answer:
        """See `Endpoint.answer`."""
        path: bytes = request.path
        if not path.startswith(_SERVICES):
            return Answer("404 page not found\n", 404)
        name = unquote(path.removeprefix(_SERVICES).decode("latin-1"), "utf-8", "replace")
        zones = self._view.services().get(name)
        return Answer(NO_SERVICES, 200, TEXT) if zones is None else _json(zones)


class ChangeEndpoint(PostEndpoint):
    """One path of ``/services`` that changes something."""

    def __init__(self, view: RegistryView) -> None:
        super().__init__()
        self._view = view
        self._request = type(self).__name__.removesuffix("Endpoint").lower()

    def answer(self, request: Request) -> Answer:
        """See `Endpoint.answer`."""
        try:
            self.change(self.read(request))
        except RegistryError as error:
            return _failed(str(error))
        return _succeeded()

    def read(self, request: Request) -> Publication:
        """Return what the request says.

        :raises RegistryError: when it cannot be met.
        """
        if self._view.application() is None:
            raise RegistryError(NOT_STARTED)
        try:
            found = Fields(body(request))
            meta = found.inner("providermetainfo")
            return Publication(
                service=found.service(),
                port=found.port(),
                protocol=meta.text("protocol"),
                version=meta.text("version"),
                appName=meta.text("appname"),
            )
        except (ValueError, RecursionError):
            raise RegistryError(
                f"Unmarshal body stream to {self._request} service request failed."
            ) from None

    @abstractmethod
    def change(self, wanted: Publication) -> None:
        """Do it.

        :raises RegistryError: when it cannot be done.
        """


class PublishEndpoint(ChangeEndpoint):
    """``/services/publish``: the application offers a service."""

    def change(self, wanted: Publication) -> None:
        """See `ChangeEndpoint.change`."""
        self._view.publish(wanted)


class UnpublishEndpoint(ChangeEndpoint):
    """``/services/unpublish``: it offers one no more."""

    def change(self, wanted: Publication) -> None:
        """See `ChangeEndpoint.change`."""
        self._view.unpublish(wanted.service)


class UnsubscribeEndpoint(ChangeEndpoint):
    """``/services/unsubscribe``: it will not call a service any more."""

    def change(self, wanted: Publication) -> None:
        """See `ChangeEndpoint.change`."""
        self._view.unsubscribe(wanted.service)


class SubscribeEndpoint(ChangeEndpoint):
    """``/services/subscribe``: where calls of a service are to be sent. The answer may wait."""

    def render(self, request: Request) -> Any:
        """See `Endpoint.render`."""
        if self.methods is not None and request.method not in self.methods:
            return super().render(request)
        try:
            name = self.read(request).service
        except RegistryError as error:
            return write(request, _failed(str(error)))
        asked: Deferred[Any] = self._view.subscribe(name)
        gone = request.notifyFinish()
        asked.addCallbacks(lambda datas: _succeeded(serviceName=name, datas=datas), _refused)
        asked.addCallbacks(_finish, _left, callbackArgs=(request,))
        gone.addErrback(lambda _: asked.cancel())
        return NOT_DONE_YET

    def change(self, wanted: Publication) -> None:
        """See `ChangeEndpoint.change`; `render` does it all."""


def _refused(failure: Failure) -> Answer | Failure:
    if failure.check(RegistryError):
        return _failed(failure.getErrorMessage())
    if failure.check(CancelledError):
        return failure
    _log.failure("registry API: subscribe failed", failure)
    return _failed("internal error")


def _finish(answer: Answer, request: Any) -> None:
    request.write(write(request, answer))
    request.finish()


def _left(failure: Failure) -> None:
    """The client has gone, and nobody waits for an answer."""


def registrySite(view: RegistryView, reactor: Any, *, loopback: bool) -> Site:
    """Return the factory for the port of the API.

    :param reactor: an ``IReactorTime``, for timeouts.
    :param loopback: as `mosntx.admin.guard.refusal`.
    """
    endpoints: dict[bytes, Endpoint] = {
        b"/configs/application": ApplicationEndpoint(view),
        b"/configs/registry": SettingsEndpoint(),
        b"/services": ServicesEndpoint(view),
        b"/services/publish": PublishEndpoint(view),
        b"/services/subscribe": SubscribeEndpoint(view),
        b"/services/unpublish": UnpublishEndpoint(view),
        b"/services/unsubscribe": UnsubscribeEndpoint(view),
    }
    return QuietSite(Root(endpoints, OtherEndpoint(view), loopback=loopback), reactor)
