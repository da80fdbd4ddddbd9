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


class CertificateExpired(Unidentified):
    """The certificate was good when the connection began, and is no longer."""

    def __init__(self, expired_at: str) -> None:
        super().__init__(
            f"the client certificate expired at {expired_at}; get a new one and connect again"
        )


class CertificateDenied(Unidentified):
    """The certificate, its key or its principal is on the deny-list of this registry."""

    def __init__(self) -> None:
        super().__init__(
            "the client certificate, or whom it names, was denied here by the operator; ask them"
        )


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
            limit_bytes=str(size_bytes_max),
        )


class TooManyUploads(Exhausted):
    """As many streams or open uploads as are allowed at once; ``what`` says which."""

    def __init__(self, uploads_max: int, *, retry_after_s: float, what: str = "uploads") -> None:
        super().__init__(
            f"{uploads_max} {what} are under way, which is the most; finish or abort some, "
            f"or try again in {retry_after_s:g} s"
        )
        self.retry_after_s = retry_after_s


class TooManyCalls(Exhausted):
    """One principal calls more often than its share allows; nothing was done."""

    def __init__(
        self, per_s: float, burst: int, *, retry_after_s: float, under_way: int = 0
    ) -> None:
        """``under_way`` says that so many calls, the most, have not ended yet."""
        share = f"{per_s:g} calls per second, or {burst} at once, are what one principal may take"
        if under_way:
            share = f"{under_way} of your calls are under way, the most for one principal"
        super().__init__(
            f"you call too often: {share}; try again in {retry_after_s:g} s",
            calls_per_s=f"{per_s:g}",
        )
        self.retry_after_s = retry_after_s


class StoreUnavailable(Unavailable):
    """The metadata or blob store does not answer."""

    def __init__(self, retry_after_s: float) -> None:
        super().__init__(f"the registry cannot reach its store; try again in {retry_after_s:g} s")
        self.retry_after_s = retry_after_s


class Draining(Unavailable):
    """The server is about to stop and takes no new calls."""

    def __init__(self) -> None:
        super().__init__("this server is stopping; try again, another one will answer")


class StreamStalled(Unavailable):
    """The other side neither sent nor took anything for so long that its place was given up."""

    def __init__(self, idle_s: float, *, bytes_per_s_min: int = 0) -> None:
        moved = f"less than {bytes_per_s_min} bytes per second" if bytes_per_s_min else "nothing"
        super().__init__(
            f"{moved} moved on this stream for {idle_s:.3g} s, so it was closed; nothing durable "
            "is lost. Go on from where it stands"
        )


class WatchTooSlow(Unavailable):
    """A watch whose client did not take what happened; it can be resumed where it was cut.

    Without a revision it was cut in its initial state, and the client has the token to go on.
    """

    def __init__(self, resume_revision: int | None) -> None:
        if resume_revision is None:
            super().__init__(
                "this watch did not read its initial state fast enough, so it was closed; go on "
                "with the initial_state_token of the last message that you have"
            )
            return
        super().__init__(
            f"this watch was not read fast enough, so it was closed; resume it at revision "
            f"{resume_revision}, or after the last one you have if that is later",
            resume_revision=str(resume_revision),
        )


class AuditUnavailable(Unavailable):
    """The call cannot be recorded, and what is not recorded is not done."""

    def __init__(self) -> None:
        super().__init__(
            "the audit trail cannot be written, so nothing is done; tell the operator, try later"
        )
