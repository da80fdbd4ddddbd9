"""Refusals of access and of capacity."""

from assay_server.domain.errors.families import (
    Exhausted,
    Forbidden,
    Unavailable,
    Unidentified,
    listed,
)


class PermissionDenied(Forbidden):
    """The principal may see the resource but lacks a permission; names who could grant it."""

    def __init__(
        self,
        *,
        permission: str,
        resource: str,
        principal: str,
        roles: tuple[str, ...] = (),
    ) -> None:
        place = resource or "the registry"
        remedy = f". Roles that have it: {listed(roles)}" if roles else ""
        super().__init__(
            f"{principal} needs the permission {permission} on {place}{remedy}",
            permission=permission,
            resource=resource,
            principal=principal,
            roles=",".join(roles),
        )


class Unauthenticated(Unidentified):
    """The certificate does not lead to exactly one principal; ``problem`` says why."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"the client certificate names no accepted principal: {problem}")


class StorageFull(Exhausted):
    """No room for more bytes; what was received durably stays."""

    def __init__(self) -> None:
        super().__init__(
            "the registry's storage is full; what has arrived is kept. "
            "Tell the operator, then resume"
        )


class MessageTooLarge(Exhausted):
    """A message is over the limit."""

    def __init__(self, size_bytes: int, size_bytes_max: int) -> None:
        super().__init__(
            f"the message has {size_bytes} bytes, but at most {size_bytes_max} are accepted; "
            "send smaller ones (GetTransferLimits tells the sizes)",
            size_bytes_max=str(size_bytes_max),
        )


class TooManyUploads(Exhausted):
    """The draft has as many open uploads as it may have."""

    def __init__(self, uploads_max: int) -> None:
        super().__init__(
            f"there are {uploads_max} open uploads already; commit or abort some first",
            uploads_max=str(uploads_max),
        )


class TooManyRequests(Exhausted):
    """The caller asks faster than it may."""

    def __init__(self, retry_after_s: float) -> None:
        super().__init__(
            f"too many requests; wait {retry_after_s:g} s, then try again",
            retry_after_s=f"{retry_after_s:g}",
        )
        self.retry_after_s = retry_after_s


class StoreUnavailable(Unavailable):
    """The metadata or blob store does not answer."""

    def __init__(self, retry_after_s: float) -> None:
        super().__init__(
            f"the registry cannot reach its store; try again in {retry_after_s:g} s",
            retry_after_s=f"{retry_after_s:g}",
        )
        self.retry_after_s = retry_after_s


class Draining(Unavailable):
    """The server is about to stop and takes no new calls."""

    def __init__(self) -> None:
        super().__init__("this server is stopping; try again, another one will answer")
