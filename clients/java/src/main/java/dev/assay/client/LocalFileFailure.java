package dev.assay.client;

/** A file of this machine cannot be read or written. */
public final class LocalFileFailure extends AssayException {
    private static final long serialVersionUID = 1L;

    LocalFileFailure(Failure failure) {
        super(failure);
    }
}
