package dev.assay.client;

import dev.assay.v1.ErrorReason;
import io.grpc.Status;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * Everything that this client fails with. The message is for people: what was wrong, where, and what to do.
 *
 * <p>Each kind of failure has a class of its own below this one; catch that, or ask for the {@link #reason()}.
 */
public class AssayException extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private static final String REASON_PREFIX = "ERROR_REASON_";

    /** OK where the failure arose on this machine and is like none of a call. */
    private final Status.Code statusCode;

    /** From the catalogue; may be empty. */
    private final String reason;

    /** Strings for programs. */
    private final Map<String, String> metadata;

    /** Each fault, where there are several. */
    private final List<Violation> violations;

    /** Zero where the server did not say. */
    private final Duration retryAfter;

    /** Usually empty. */
    private final String requestId;

    AssayException(Failure failure) {
        super(failure.text(), failure.cause);
        statusCode = failure.code;
        reason = failure.reason;
        metadata = Map.copyOf(failure.metadata);
        violations = List.copyOf(failure.violations);
        retryAfter = failure.retryAfter;
        requestId = failure.requestId;
    }

    /**
     * Tells why the server refused, for programs.
     *
     * @return a name from the catalogue {@link ErrorReason} without its prefix, such as {@code GATE_CLOSED}; empty where
     *     the server gave none, and for failures on this machine
     */
    public String reason() {
        return reason;
    }

    /**
     * Tells whether the server refused for one catalogued reason.
     *
     * @param wanted the reason
     * @return whether it is that one
     */
    public boolean hasReason(ErrorReason wanted) {
        return Required.of(wanted, "wanted").name().equals(REASON_PREFIX + reason);
    }

    /**
     * Gives strings for programs; the catalogue lists the keys of each reason.
     *
     * @return an immutable map; empty where there are none
     */
    public Map<String, String> metadata() {
        return metadata;
    }

    /**
     * Gives the status of the call.
     *
     * @return its code; of failures on this machine INVALID_ARGUMENT for wrong input, CANCELLED for what was given up, and {@code
     *     OK} for all others, such as a full disk
     */
    public Status.Code statusCode() {
        return statusCode;
    }

    /**
     * Gives each fault, where the server listed several.
     *
     * @return an immutable list; empty where there is only the message
     */
    public List<Violation> violations() {
        return violations;
    }

    /**
     * Tells when the server asks to come back.
     *
     * @return how long to wait; zero where it did not say
     */
    public Duration retryAfter() {
        return retryAfter;
    }

    /**
     * Gives the id under which the server logged its fault.
     *
     * @return the id; usually empty
     */
    public String requestId() {
        return requestId;
    }

    /** A number from the metadata; 0 where there is none. */
    final long number(String key) {
        try {
            return Long.parseLong(metadata.getOrDefault(key, "0"));
        } catch (NumberFormatException absent) {
            return 0;
        }
    }
}
