package dev.assay.client;

/** There is no connection, or it broke; the message says what is probably wrong. */
public final class Unreachable extends Unavailable {
    private static final long serialVersionUID = 1L;

    Unreachable(Failure failure) {
        super(failure);
    }
}
