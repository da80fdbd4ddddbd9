package dev.assay.client;

/** No answer came in time; a change may have happened or not. */
public final class DeadlinePassed extends AssayException {
    private static final long serialVersionUID = 1L;

    DeadlinePassed(Failure failure) {
        super(failure);
    }
}
