"""Refusals of requests that are wrong in themselves."""

from assay_server.domain.errors.families import InvalidInput, listed, quotable, quoted


class InvalidField(InvalidInput):
    """A field breaks its rule; ``problem`` completes the sentence "<field> …"."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field} {problem}", field=field)
        self.metadata["field"] = field


class InvalidName(InvalidInput):
    """A resource name or id does not follow the grammar."""

    def __init__(self, name: str, problem: str, *, field: str = "name") -> None:
        super().__init__(f"{quoted(name)} is not a valid name: {problem}", field=field)
        self.metadata["field"] = field


class InvalidReference(InvalidInput):
    """A typed reference to a version cannot be read."""

    def __init__(self, reference: str, problem: str) -> None:
        super().__init__(
            f"{quoted(reference)} is not a reference: {problem}. Write one like vision/digits/7, "
            "vision/digits@champion, vision/digits@^1.4 or vision/digits@latest",
            field="reference",
            reference=quotable(reference),
        )


class InvalidPath(InvalidInput):
    """A file path breaks the grammar of manifests."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(
            f"the path {quoted(path)} is not allowed: {problem}",
            field="path",
            path=quotable(path),
        )


class DuplicatePath(InvalidInput):
    """Two paths would be one file on some machine: equal, by case only, or file and folder."""

    def __init__(self, path: str, other: str) -> None:
        super().__init__(
            f"the path {quoted(path)} collides with {quoted(other)}: paths must stay apart on "
            "machines that ignore case, and a file cannot also be a folder. Rename one of them",
            field="path",
            path=quotable(path),
        )


class InvalidMetric(InvalidInput):
    """A metric or slice of an evaluation cannot be recorded."""

    def __init__(self, metric: str, problem: str, *, field: str = "metrics") -> None:
        super().__init__(
            f"the metric {quoted(metric)} cannot be recorded: {problem}",
            field=field,
            metric=quotable(metric),
        )


class InvalidSemver(InvalidInput):
    """A semantic version or range does not follow SemVer 2.0.0."""

    def __init__(self, text: str, problem: str, *, field: str = "semver") -> None:
        super().__init__(
            f"{quoted(text)} is not a semantic version: {problem}. Write one like 1.4.2",
            field=field,
            semver=quotable(text),
        )


class InvalidPageToken(InvalidInput):
    """A page token was changed, is of another query, or is of another server's key."""

    def __init__(self, field: str = "page_token") -> None:
        super().__init__(
            f"{field} does not belong to this query: repeat the query exactly as it was, or "
            f"start again without {field}",
            field=field,
        )


class InvalidUpdateMask(InvalidInput):
    """An update mask is empty or names a field that cannot be updated."""

    def __init__(self, path: str, allowed: tuple[str, ...]) -> None:
        problem = f"cannot name {quoted(path)}" if path else "must name at least one field"
        super().__init__(
            f"update_mask {problem}; fields that may be updated: {listed(allowed)}",
            field="update_mask",
            path=quotable(path),
        )


class RequestIdReused(InvalidInput):
    """The same request id came before with another payload."""

    def __init__(self, request_id: str) -> None:
        super().__init__(
            f"request_id {quoted(request_id)} was used for another request: an id belongs to one "
            "request and its retries. Make a new one",
            field="request_id",
            request_id=quotable(request_id),
        )
