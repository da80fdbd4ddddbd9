package dev.assay.client;

/** The call was given up by this program: its thread was interrupted, its future cancelled, or its client closed. */
public final class CallCancelled extends AssayException {
    private static final long serialVersionUID = 1L;

    CallCancelled(Failure failure) {
        super(failure);
    }
}
