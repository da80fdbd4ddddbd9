package dev.assay.client;

import static java.util.Map.entry;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.PreconditionFailure;
import com.google.rpc.RequestInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.time.Duration;
import java.util.Map;
import java.util.function.Function;

/** What a status from the wire becomes: one table from reasons, one from codes. */
final class Statuses {
    /** Tells our details from those of other servers and proxies on the way. */
    static final String ERROR_DOMAIN = "assay.dev";

    /** For reasons that have a class of their own, besides that of their status. */
    static final Map<String, Function<Failure, AssayException>> OF_REASON = Map.ofEntries(
            entry("ALIAS_MOVED", AliasMoved::new),
            entry("CERTIFICATE_DENIED", CertificateDenied::new),
            entry("CERTIFICATE_EXPIRED", CertificateExpired::new),
            entry("ETAG_MISMATCH", EtagMismatch::new),
            entry("GATE_CLOSED", GateClosed::new),
            entry("REVISION_COMPACTED", RevisionCompacted::new));

    static final Map<Status.Code, Function<Failure, AssayException>> OF_CODE = Map.ofEntries(
            entry(Status.Code.CANCELLED, Unavailable::new),
            entry(Status.Code.UNKNOWN, ServerFault::new),
            entry(Status.Code.INVALID_ARGUMENT, InvalidInput::new),
            entry(Status.Code.DEADLINE_EXCEEDED, DeadlinePassed::new),
            entry(Status.Code.NOT_FOUND, NotFound::new),
            entry(Status.Code.ALREADY_EXISTS, AlreadyExists::new),
            entry(Status.Code.PERMISSION_DENIED, PermissionDenied::new),
            entry(Status.Code.RESOURCE_EXHAUSTED, Exhausted::new),
            entry(Status.Code.FAILED_PRECONDITION, NotPossibleNow::new),
            entry(Status.Code.ABORTED, Raced::new),
            entry(Status.Code.OUT_OF_RANGE, OutOfRange::new),
            entry(Status.Code.UNIMPLEMENTED, MethodUnknown::new),
            entry(Status.Code.INTERNAL, ServerFault::new),
            entry(Status.Code.UNAVAILABLE, Unavailable::new),
            entry(Status.Code.DATA_LOSS, Corrupt::new),
            entry(Status.Code.UNAUTHENTICATED, Unauthenticated::new));

    private Statuses() {}

    /** What the server said, before anything is explained. */
    static Failure read(StatusRuntimeException error) {
        Status status = error.getStatus();
        String words = status.getDescription();
        Failure failure = Failure.of(words == null ? "" : words).code(status.getCode()).because(error);
        com.google.rpc.Status details = StatusProto.fromThrowable(error);
        if (details != null) {
            for (Any detail : details.getDetailsList()) {
                take(failure, detail);
            }
        }
        return failure;
    }

    /** The exception for what the server said. */
    static AssayException exception(Failure failure) {
        Failure worded = failure.message.isEmpty()
                ? failure.reworded("The server answered " + failure.code + " without a word.")
                : failure;
        Function<Failure, AssayException> byCode = OF_CODE.getOrDefault(failure.code, ServerFault::new);
        return OF_REASON.getOrDefault(failure.reason, byCode).apply(worded);
    }

    /** Reads one detail with care: another server may have sent anything. */
    private static void take(Failure failure, Any detail) {
        try {
            if (detail.is(ErrorInfo.class)) {
                ErrorInfo info = detail.unpack(ErrorInfo.class);
                if (info.getDomain().equals(ERROR_DOMAIN)) {
                    failure.reason = info.getReason();
                    failure.metadata = info.getMetadataMap();
                }
            } else if (detail.is(RetryInfo.class)) {
                com.google.protobuf.Duration delay = detail.unpack(RetryInfo.class).getRetryDelay();
                failure.retryAfter = Duration.ofSeconds(delay.getSeconds(), delay.getNanos());
            } else if (detail.is(RequestInfo.class)) {
                failure.requestId = detail.unpack(RequestInfo.class).getRequestId();
            } else {
                takeViolations(failure, detail);
            }
        } catch (InvalidProtocolBufferException unreadable) {
            failure.cause.addSuppressed(unreadable);
        }
    }

    private static void takeViolations(Failure failure, Any detail) throws InvalidProtocolBufferException {
        if (detail.is(BadRequest.class)) {
            for (BadRequest.FieldViolation fault : detail.unpack(BadRequest.class).getFieldViolationsList()) {
                failure.fault(fault.getField(), fault.getDescription());
            }
        } else if (detail.is(PreconditionFailure.class)) {
            for (PreconditionFailure.Violation fault : detail.unpack(PreconditionFailure.class).getViolationsList()) {
                failure.violations.add(new Violation(fault.getSubject(), fault.getDescription(), fault.getType()));
            }
        }
    }
}
