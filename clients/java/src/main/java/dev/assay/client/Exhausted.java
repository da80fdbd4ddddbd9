package dev.assay.client;

/** A limit is reached, or a store of the server is full. */
public final class Exhausted extends AssayException {
    private static final long serialVersionUID = 1L;

    Exhausted(Failure failure) {
        super(failure);
    }
}
