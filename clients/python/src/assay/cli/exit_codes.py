"""What the exit status of a command means: one table, for people and for the program."""

from enum import IntEnum

from assay import errors
from assay.errors import AssayError


class ExitCode(IntEnum):
    """Status that a command ends with."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    PERMISSION = 4
    CLOSED = 5
    RACE_LOST = 6
    UNREACHABLE = 7
    CORRUPT = 8
    INTERRUPTED = 130


MEANING: dict[ExitCode, str] = {
    ExitCode.OK: "It happened.",
    ExitCode.FAILED: "It failed for a reason without a status of its own; the message says which.",
    ExitCode.USAGE: "The command, an argument or the request is wrong. Trying again does not help.",
    ExitCode.NOT_FOUND: "There is no such thing, or you may not see it.",
    ExitCode.PERMISSION: "You may see it but not do this, or the server does not know you.",
    ExitCode.CLOSED: "A gate is closed, or the state of things forbids it now.",
    ExitCode.RACE_LOST: "Somebody changed it first. Read again, decide again.",
    ExitCode.UNREACHABLE: "The server did not answer. Try again, or run: assay doctor",
    ExitCode.CORRUPT: "Bytes are not what their digest says. Nothing of them was kept.",
    ExitCode.INTERRUPTED: "You interrupted it (Ctrl-C).",
}

CODE_OF: dict[type[AssayError], ExitCode] = {
    errors.InvalidInput: ExitCode.USAGE,
    errors.NotFound: ExitCode.NOT_FOUND,
    errors.AlreadyExists: ExitCode.CLOSED,
    errors.Raced: ExitCode.RACE_LOST,
    errors.NotPossibleNow: ExitCode.CLOSED,
    errors.OutOfRange: ExitCode.USAGE,
    errors.Corrupt: ExitCode.CORRUPT,
    errors.PermissionDenied: ExitCode.PERMISSION,
    errors.Unauthenticated: ExitCode.PERMISSION,
    errors.Unavailable: ExitCode.UNREACHABLE,
    errors.DeadlinePassed: ExitCode.UNREACHABLE,
    errors.TransferInterrupted: ExitCode.UNREACHABLE,
    errors.Misused: ExitCode.USAGE,
    errors.CannotInfer: ExitCode.USAGE,
    errors.ContextInvalid: ExitCode.USAGE,
    errors.ContentMismatch: ExitCode.CORRUPT,
    errors.TargetBusy: ExitCode.CLOSED,
    errors.TargetExists: ExitCode.CLOSED,
    errors.UnsafeFile: ExitCode.USAGE,
}
"""By class; a subclass has the status of its nearest ancestor here, FAILED without one."""


def exit_code_of(error: AssayError) -> ExitCode:
    """Find the status that a command ends with after this refusal."""
    for ancestor in type(error).__mro__:
        if ancestor in CODE_OF:
            return CODE_OF[ancestor]
    return ExitCode.FAILED
