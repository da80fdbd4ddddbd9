"""The client for everybody else: scripts, notebooks, threads."""

import copy
import functools
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from contextlib import suppress
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from assay import contexts
from assay.async_client import AsyncClient
from assay.calls import Deadlines
from assay.errors import ForkedClient
from assay.listing import Listing
from assay.loop_thread import Seat
from assay.retries import PATIENCE_S
from assay.tls import TLS

Given = ParamSpec("Given")
Result = TypeVar("Result")

_END: Any = object()


def _waiting(
    verb: Callable[Concatenate[AsyncClient, Given], Coroutine[Any, Any, Result]],
) -> Callable[Concatenate["Client", Given], Result]:
    """The same verb, waited for: same arguments, same result, same documentation."""

    @functools.wraps(verb)
    def wait(self: "Client", /, *args: Given.args, **kwargs: Given.kwargs) -> Result:
        return self._seat.thread.run(verb(self._client, *args, **kwargs))

    return wait


def _iterating(
    verb: Callable[Concatenate[AsyncClient, Given], AsyncGenerator[Result, None]],
) -> Callable[Concatenate["Client", Given], Generator[Result, None, None]]:
    """The same verb as an ordinary iterator; leaving the loop ends the call."""

    @functools.wraps(verb)
    def iterate(
        self: "Client", /, *args: Given.args, **kwargs: Given.kwargs
    ) -> Generator[Result, None, None]:
        thread = self._seat.thread
        items = verb(self._client, *args, **kwargs)
        try:
            while (item := thread.run(_next(items))) is not _END:
                yield item
        finally:
            thread.end(items)

    return iterate


def _listing(
    verb: Callable[Concatenate[AsyncClient, Given], AsyncGenerator[Result, None]],
) -> Callable[Concatenate["Client", Given], Listing[Result]]:
    """The same verb as an iterator that can also become a table."""
    iterate = _iterating(verb)

    @functools.wraps(verb)
    def listed(self: "Client", /, *args: Given.args, **kwargs: Given.kwargs) -> Listing[Result]:
        return Listing(iterate(self, *args, **kwargs))

    return listed


class Client:
    """A registry, spoken to from any number of threads: the verbs of ``AsyncClient``, waited for.

    It connects on first use::

        with Client.from_context() as client:
            version = client.push(model, to="vision/digits", sample=X[:5])
            for alias in client.list_aliases("vision/digits"):
                print(alias.name)

    Callbacks such as ``on_progress`` run in the client's own thread.
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
        """See ``Session`` for the arguments."""
        self._client = AsyncClient(
            target, tls=tls, namespace=namespace, deadlines=deadlines, patience_s=patience_s
        )
        self._seat = Seat()

    @classmethod
    def from_context(cls, name: str | None = None, *, path: Path | None = None) -> Self:
        """A client of the context ``name``, or of the current one; see ``assay.contexts``.

        Raises:
            ContextInvalid: There is no such context, or the file cannot be read.
        """
        context = contexts.load(path).get(name)
        return cls(context.target, tls=context.tls, namespace=context.namespace)

    @property
    def target(self) -> str:
        """``host:port`` of the server."""
        return self._client.target

    @property
    def namespace(self) -> str:
        """What goes in front of names without a namespace; may be empty."""
        return self._client.namespace

    def within(self, seconds: float) -> Self:
        """The same client, whose every call must be answered within ``seconds``."""
        other = copy.copy(self)
        other._client = self._client.within(seconds)
        return other

    def close(self) -> None:
        """End the connection; calls still under way end with it.

        In a fork there is nothing to end: the connection is that of the parent process.
        """
        if self._seat.is_taken:
            with suppress(ForkedClient):
                self._seat.thread.run(self._client.close())
        self._seat.leave()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Models
    create_model = _waiting(AsyncClient.create_model)
    get_model = _waiting(AsyncClient.get_model)
    list_models = _listing(AsyncClient.list_models)
    update_model = _waiting(AsyncClient.update_model)
    delete_model = _waiting(AsyncClient.delete_model)
    undelete_model = _waiting(AsyncClient.undelete_model)

    # Files
    push = _waiting(AsyncClient.push)
    create_version = _waiting(AsyncClient.create_version)
    pull = _waiting(AsyncClient.pull)
    read_range = _waiting(AsyncClient.read_range)
    transfer_limits = _waiting(AsyncClient.transfer_limits)

    # Drafts
    get_draft = _waiting(AsyncClient.get_draft)
    list_drafts = _listing(AsyncClient.list_drafts)
    abandon_draft = _waiting(AsyncClient.abandon_draft)

    # Versions
    resolve = _waiting(AsyncClient.resolve)
    get_version = _waiting(AsyncClient.get_version)
    list_versions = _listing(AsyncClient.list_versions)
    update_version = _waiting(AsyncClient.update_version)
    publish = _waiting(AsyncClient.publish)
    deprecate = _waiting(AsyncClient.deprecate)
    yank = _waiting(AsyncClient.yank)
    delete_version = _waiting(AsyncClient.delete_version)
    undelete_version = _waiting(AsyncClient.undelete_version)

    # Aliases
    set_alias = _waiting(AsyncClient.set_alias)
    get_alias = _waiting(AsyncClient.get_alias)
    list_aliases = _listing(AsyncClient.list_aliases)
    delete_alias = _waiting(AsyncClient.delete_alias)
    list_alias_moves = _listing(AsyncClient.list_alias_moves)

    # Evaluations and gates
    evaluate = _waiting(AsyncClient.evaluate)
    get_evaluation = _waiting(AsyncClient.get_evaluation)
    list_evaluations = _listing(AsyncClient.list_evaluations)
    set_gate = _waiting(AsyncClient.set_gate)
    get_gate = _waiting(AsyncClient.get_gate)
    list_gates = _listing(AsyncClient.list_gates)
    delete_gate = _waiting(AsyncClient.delete_gate)
    check_gate = _waiting(AsyncClient.check_gate)

    # Access
    whoami = _waiting(AsyncClient.whoami)
    test_permissions = _waiting(AsyncClient.test_permissions)
    create_namespace = _waiting(AsyncClient.create_namespace)
    get_namespace = _waiting(AsyncClient.get_namespace)
    list_namespaces = _listing(AsyncClient.list_namespaces)
    update_namespace = _waiting(AsyncClient.update_namespace)
    create_role_binding = _waiting(AsyncClient.create_role_binding)
    list_role_bindings = _listing(AsyncClient.list_role_bindings)
    delete_role_binding = _waiting(AsyncClient.delete_role_binding)

    # What happened, and what happens
    list_audit_entries = _listing(AsyncClient.list_audit_entries)
    watch = _iterating(AsyncClient.watch)


async def _next(items: AsyncGenerator[Result, None]) -> Result:
    return await anext(items, _END)
