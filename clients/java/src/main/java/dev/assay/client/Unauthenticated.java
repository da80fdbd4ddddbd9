package dev.assay.client;

/** The certificate does not tell who you are, or does not count any more. */
public class Unauthenticated extends AssayException {
    private static final long serialVersionUID = 1L;

    Unauthenticated(Failure failure) {
        super(failure);
    }
}
