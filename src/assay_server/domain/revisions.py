"""Revisions: the numbers of committed changes, by which the past is asked for.

Rules:
- A revision that the registry has not reached yet is refused: the answer could not stay true.
- So is one from before the oldest that is kept, naming that one.
"""

from assay_server.domain.errors import InvalidField, RevisionCompacted, RevisionInFuture


def require_as_of(revision: int, *, field: str = "as_of") -> int:
    """``revision``, if it is one to ask for; 0 stands for now."""
    if revision < 0:
        raise InvalidField(field, "must be a revision, or 0 for now")
    return revision


def require_kept(as_of: int, *, oldest: int, newest: int) -> int:
    """``as_of``, if what was true then can be told.

    Raises:
        RevisionInFuture: The registry was never there.
        RevisionCompacted: Its facts are no longer kept.
    """
    if as_of > newest:
        raise RevisionInFuture(as_of, newest)
    if as_of < oldest:
        raise RevisionCompacted(as_of, oldest)
    return as_of
