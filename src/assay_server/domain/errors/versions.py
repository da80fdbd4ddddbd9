"""Refusals in the life of drafts and versions."""

from assay_server.domain.errors.families import Missing, NotPossibleNow, listed, quotable, quoted


class DraftNotOpen(NotPossibleNow):
    """The draft was sealed (``sealed_number`` says as which version) or abandoned."""

    def __init__(
        self, name: str, *, state: str, sealed_number: int = 0, has_expired: bool = False
    ) -> None:
        outcome = f"; it became version {sealed_number}" if sealed_number else ""
        if has_expired:
            outcome = "; it expired, since nobody changed it for so long"
        super().__init__(
            f"{name} is {state} and cannot change{outcome}. Make a new draft",
            draft=name,
            state=state,
        )
        if sealed_number:
            self.metadata["version"] = str(sealed_number)


class DraftIncomplete(NotPossibleNow):
    """Files of the draft are still on their way."""

    def __init__(self, name: str, paths: tuple[str, ...]) -> None:
        super().__init__(
            f"{name} has {len(paths)} unfinished uploads: {listed(map(quoted, paths))}. "
            "Commit or abort them, then seal",
            draft=name,
            paths=listed(paths, ","),
        )


class FilesMissing(NotPossibleNow):
    """A version is to be made of content that is nowhere where the caller may read it."""

    def __init__(self, model: str, paths: tuple[str, ...]) -> None:
        super().__init__(
            f"no version that you may download has the content of {listed(map(quoted, paths))}; "
            f"upload it into a draft of {model}, and seal that",
            model=model,
            paths=listed(paths, ","),
        )
        self.paths = paths


class DraftEmpty(NotPossibleNow):
    """A version without files proves nothing."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} has no files; upload at least one, then seal", draft=name)


class BumpRequired(NotPossibleNow):
    """Without signatures on both sides the server cannot tell what callers rely on."""

    def __init__(self, name: str, *, lacking: str, is_made: bool = True) -> None:
        """``name`` is that of the version, or of its model where it is not made before this."""
        super().__init__(
            f"{lacking} has no signature, so the semantic version cannot be inferred; "
            "name a bump (MAJOR, MINOR or PATCH) or a semver",
            **{"version" if is_made else "model": name},
        )


class SemverTooLow(NotPossibleNow):
    """The changes demand a greater step; the message names what changed."""

    def __init__(
        self, *, asked: str, least: str, fields: tuple[str, ...], reasons: tuple[str, ...]
    ) -> None:
        super().__init__(
            f"{asked} is too low: it must be at least {least}, because {listed(reasons, '; ')}",
            asked=asked,
            least=least,
            fields=listed(fields, ","),
        )


class SemverTaken(NotPossibleNow):
    """Another version of the model has the semver."""

    def __init__(self, semver: str, number: int) -> None:
        super().__init__(
            f"{semver} is the semantic version of version {number} already; choose a greater one",
            semver=semver,
        )


_RESTORE = "undelete it first (UndeleteVersion)"


class IllegalTransition(NotPossibleNow):
    """The ladder of states has no such step."""

    def __init__(
        self,
        name: str,
        *,
        state: str,
        target: str,
        allowed: tuple[str, ...],
        semver: str = "",
        is_same: bool = False,
    ) -> None:
        """``semver`` says that it was to be published, and was before.

        ``is_same`` says that another was to be made that has nothing of its own.
        """
        steps = f"from there it may become {listed(allowed)}" if allowed else _RESTORE
        why = f"was published already, as {semver}" if semver else f"cannot become {target}"
        if is_same:
            why = "has the same files and facts"
        super().__init__(
            f"{name} is {state} and {why}; {steps}",
            **{"resource": name, "from": state, "to": target},
        )


_FIRST_STEPS = {
    "CANDIDATE": "publish it first (PublishVersion)",
    "DELETED": f"{_RESTORE}, or use another one",
}
"""What to do with a version in such a state before it can be used."""


class VersionNotReady(NotPossibleNow):
    """The version is in a state in which this name may not resolve to it."""

    def __init__(self, name: str, state: str) -> None:
        super().__init__(
            f"{name} is {state}; only READY and DEPRECATED versions can be used like this: "
            + _FIRST_STEPS.get(state, "use another one"),
            version=name,
            state=state,
        )


class VersionYanked(NotPossibleNow):
    """The version was withdrawn; only pins still reach it."""

    def __init__(self, name: str, reason: str = "") -> None:
        why = f" ({quoted(reason)})" if reason else ""
        super().__init__(
            f"{name} was yanked{why}: moving names no longer resolve to it. Use another version, "
            "or pin this one by number or digest",
            version=name,
        )


class VersionInUse(NotPossibleNow):
    """Aliases point to the version, so it cannot be deleted."""

    def __init__(self, name: str, aliases: tuple[str, ...]) -> None:
        super().__init__(
            f"{name} cannot be deleted: these aliases point to it: {listed(aliases)}. "
            "Move or delete them first",
            version=name,
            aliases=listed(aliases, ","),
        )


class NothingResolves(Missing):
    """The model exists, but no version of it answers the reference."""

    def __init__(self, reference: str, problem: str) -> None:
        super().__init__(
            f"{quoted(reference)} resolves to nothing: {problem}", reference=quotable(reference)
        )
