package dev.assay.client;

/** Bytes on the server, or on the way to it, are not what their digest says. */
public final class Corrupt extends AssayException {
    private static final long serialVersionUID = 1L;

    Corrupt(Failure failure) {
        super(failure);
    }
}
