package dev.assay.client;

/** Absent, or hidden from you: the server does not tell which. */
public final class NotFound extends AssayException {
    private static final long serialVersionUID = 1L;

    NotFound(Failure failure) {
        super(failure);
    }
}
