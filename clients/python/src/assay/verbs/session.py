"""What every verb stands on: a connection, deadlines, and a namespace for short names."""

import copy
from typing import Self

from assay import names
from assay.calls import Calls, Deadlines
from assay.connection import Connection
from assay.retries import PATIENCE_S
from assay.stubs import Stubs
from assay.tls import TLS
from assay.v1.registry_service_pb2 import ResolveVersionRequest


class Session:
    """One server, and how to speak to it.

    Args:
        target: ``host:port`` of the server.
        tls: Certificates; None only for plaintext on this machine's loopback.
        namespace: Goes in front of names without one: ``digits`` is then ``vision/digits``.
        deadlines: How long one call may take. Transfers and watches have none.
        patience_s: How long a transfer or a watch goes on trying while nothing moves, counted
            from the first failure since something did.
    """

    def __init__(
        self,
        target: str,
        *,
        tls: TLS | None,
        namespace: str = "",
        deadlines: Deadlines | None = None,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._connection = Connection(target, tls)
        self._calls = Calls(self._connection, deadlines or Deadlines())
        self._namespace = namespace
        self._patience_s = patience_s

    @property
    def target(self) -> str:
        """``host:port`` of the server."""
        return self._connection.target

    @property
    def namespace(self) -> str:
        """What goes in front of names without a namespace; may be empty."""
        return self._namespace

    @property
    def stubs(self) -> Stubs:
        """The generated stubs, for what the verbs do not cover."""
        return self._calls.stubs

    def within(self, seconds: float) -> Self:
        """The same client, whose every call must be answered within ``seconds``.

        ``await client.within(2).resolve("vision/digits@champion")``
        """
        other = copy.copy(self)
        other._calls = Calls(self._connection, Deadlines(read_s=seconds, write_s=seconds))
        return other

    def _model_name(self, model: str | names.Named) -> str:
        return names.model_name(names.text_of(model), self._namespace)

    async def _version_name(self, version: str | names.Named, *, as_of: int = 0) -> str:
        """The resource name of ``version``, resolved by the server where the text does not say."""
        text = names.text_of(version)
        if direct := names.version_name(text, self._namespace):
            return direct
        reference = names.reference(text, self._namespace)
        request = ResolveVersionRequest(reference=reference, as_of=as_of)
        answer = await self._calls.read(self.stubs.registry.ResolveVersion, request)
        return answer.version.name
