package dev.assay.client;

/** No space is left on this machine. */
public final class LocalDiskFull extends AssayException {
    private static final long serialVersionUID = 1L;

    LocalDiskFull(Failure failure) {
        super(failure);
    }
}
