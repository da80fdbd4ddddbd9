package dev.assay.client;

/** Plaintext was asked for a server that is not on this machine. */
public final class InsecureTarget extends AssayException {
    private static final long serialVersionUID = 1L;

    InsecureTarget(Failure failure) {
        super(failure);
    }
}
