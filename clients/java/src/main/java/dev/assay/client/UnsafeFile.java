package dev.assay.client;

/** A file cannot be pushed: a link, a device, or a name that is not allowed. */
public final class UnsafeFile extends AssayException {
    private static final long serialVersionUID = 1L;

    UnsafeFile(Failure failure) {
        super(failure);
    }
}
