package dev.assay.client;

/** The certificate yields no principal, or has expired. */
public final class Unauthenticated extends AssayException {
    private static final long serialVersionUID = 1L;

    Unauthenticated(Failure failure) {
        super(failure);
    }
}
