# SPDX-License-Identifier: Apache-2.0
"""
``FakeAuthz`` for Envoy's questions over gRPC: the same settings, another wire.

What it records of a question is what Envoy said: the client's headers, and what it tells itself (the secret, the address, the
length of the body), under the names that these have over HTTP.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self

import grpc
from envoy.service.auth.v3.external_auth_pb2 import CheckRequest, CheckResponse

from fakes.authz import Asked, FakeAuthz, Seen

CHECK = "/envoy.service.auth.v3.Authorization/Check"
DENIED = 7


class FakeExtAuthz(FakeAuthz):
    """``Check`` for the backend of this name: see ``FakeAuthz``. ``broken`` is a failure of the call, whatever its status."""

    def __init__(self, secret: str, backend: str = "lake") -> None:
        super().__init__(secret, backend)
        self._server.server_close()  # nobody asks over HTTP
        self._backend = backend
        self._grpc = grpc.server(ThreadPoolExecutor(4))
        self._grpc.add_generic_rpc_handlers([_Handlers(self)])
        self._port = self._grpc.add_insecure_port("127.0.0.1:0")

    @property
    def url(self) -> str:
        """Where it is, as ``FakeAuthz`` says it."""
        return f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        self._grpc.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._grpc.stop(None).wait()

    def check(self, request: CheckRequest, context: Any) -> CheckResponse:
        """Answer a question."""
        metadata = dict(context.invocation_metadata())
        named = request.attributes.context_extensions["daypass-backend"]
        if self.broken is not None or metadata.get("x-daypass-proxy") != self.secret or named != self._backend:
            context.abort(grpc.StatusCode.INTERNAL, "broken, or not the proxy")
        asked = asked_over_grpc(request, metadata)
        self.asked.append(asked)
        denial = self.decide(asked)
        response = CheckResponse()
        if denial is None:
            _set(response.ok_response.headers, self.allowed(asked))
            response.ok_response.headers_to_remove.append("x-amz-security-token")
            return response
        response.status.code = DENIED
        response.denied_response.status.code = denial.status
        response.denied_response.body = denial.body().decode()
        _set(response.denied_response.headers, {"Content-Type": "application/xml", "x-amz-request-id": "of-authz"})
        return response


def asked_over_grpc(request: CheckRequest, metadata: dict[str, str]) -> Asked:
    """The client's request as Envoy tells it."""
    told = [
        (header.key, header.raw_value.decode("latin-1"))
        for header in request.attributes.request.http.header_map.headers
    ]
    pseudo = {name: value for name, value in told if name.startswith(":")}
    headers = [pair for pair in told if not pair[0].startswith(":")]
    lengths = [("X-Original-Content-Length", value) for name, value in headers if name == "content-length"]
    address = request.attributes.source.address.socket_address.address
    said = [("X-Daypass-Proxy", metadata["x-daypass-proxy"]), ("X-Original-Address", address), *lengths]
    seen = Seen(pseudo[":method"], pseudo[":path"], [*headers, *said])
    return Asked(seen.method, seen.target, pseudo[":authority"], seen)


class _Handlers(grpc.GenericRpcHandler):  # type: ignore[misc]
    def __init__(self, fake: FakeExtAuthz) -> None:
        self._check = grpc.unary_unary_rpc_method_handler(
            fake.check, CheckRequest.FromString, CheckResponse.SerializeToString
        )

    def service(self, details: Any) -> Any:
        """How a call is answered."""
        return self._check if details.method == CHECK else None


def _set(options: Any, headers: Any) -> None:
    for name, value in headers.items():
        option = options.add(append_action=2)
        option.header.key, option.header.value = (":path" if name == "X-Daypass-Uri" else name.lower()), value
