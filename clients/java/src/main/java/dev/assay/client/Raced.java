package dev.assay.client;

/** Someone else changed it first: read again, then decide again. */
public class Raced extends AssayException {
    private static final long serialVersionUID = 1L;

    Raced(Failure failure) {
        super(failure);
    }
}
