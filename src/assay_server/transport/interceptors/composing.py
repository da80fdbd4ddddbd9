"""The concerns in the one order that is right, for every server."""

from opentelemetry.trace import Tracer

from assay_server.transport.interceptors.around import Concern
from assay_server.transport.interceptors.auditing import Audited
from assay_server.transport.interceptors.decoding import decoded
from assay_server.transport.interceptors.identifying import Identified
from assay_server.transport.interceptors.journaling import journaled
from assay_server.transport.interceptors.limiting import Limited
from assay_server.transport.interceptors.measuring import Measured
from assay_server.transport.interceptors.permitting import Permitted
from assay_server.transport.interceptors.refusing import refusals_as_statuses
from assay_server.transport.interceptors.tracing import Traced


def concerns(
    *,
    tracer: Tracer | None,
    measured: Measured,
    audited: Audited,
    identified: Identified,
    limited: Limited,
    permitted: Permitted,
) -> tuple[Concern, ...]:
    """What surrounds every call, outermost first.

    Audit stands inside errors, so that a trail that cannot be written becomes a refusal, and
    outside identity, so that the nameless are on record too. Shares stand right behind identity:
    before that nobody can be told from anybody, and after it every step costs.
    """
    traced: tuple[Concern, ...] = (Traced(tracer).calls,) if tracer is not None else ()
    return (
        *traced,
        journaled,
        measured.calls,
        refusals_as_statuses,
        audited.calls,
        identified.calls,
        limited.calls,
        decoded,
        permitted.calls,
        audited.openings,
    )
