package dev.assay.client;

import io.grpc.Status;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What an exception will say, while it is put together. */
final class Failure {
    final String message;
    Throwable cause;
    Status.Code code = Status.Code.OK;
    String reason = "";
    Map<String, String> metadata = Map.of();
    final List<Violation> violations = new ArrayList<>();
    Duration retryAfter = Duration.ZERO;
    String requestId = "";

    private Failure(String message) {
        this.message = message;
    }

    /** A failure with these words, made as {@link String#format} makes them. */
    static Failure of(String format, Object... values) {
        return new Failure(values.length == 0 ? format : String.format(format, values));
    }

    /** A failure of what was asked, whatever the registry holds; it is found before a call. */
    static Failure invalid(String format, Object... values) {
        return of(format, values).code(Status.Code.INVALID_ARGUMENT);
    }

    Failure because(Throwable why) {
        cause = why;
        return this;
    }

    Failure code(Status.Code status) {
        code = status;
        return this;
    }

    /** One of the catalogue: what is found here as the server would find it. */
    Failure reason(String name) {
        reason = name;
        return this;
    }

    /** Adds one of several faults. */
    Failure fault(String subject, String description) {
        violations.add(new Violation(subject, description, ""));
        return this;
    }

    Failure with(String key, String value) {
        metadata = Map.of(key, value);
        return this;
    }

    /** The same, in other words. */
    Failure reworded(String words) {
        Failure other = new Failure(words);
        other.cause = cause;
        other.code = code;
        other.reason = reason;
        other.metadata = metadata;
        other.violations.addAll(violations);
        other.retryAfter = retryAfter;
        other.requestId = requestId;
        return other;
    }

    /** The sentence, and below it each fault that it does not name. */
    String text() {
        StringBuilder text = new StringBuilder(message);
        for (Violation violation : violations) {
            if (!violation.description().isEmpty() && !message.contains(violation.description())) {
                text.append("\n  ").append(violation);
            }
        }
        return text.toString();
    }
}
