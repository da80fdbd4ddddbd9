package dev.assay.client;

/** Something else is where the version should go. */
public final class TargetExists extends AssayException {
    private static final long serialVersionUID = 1L;

    TargetExists(Failure failure) {
        super(failure);
    }
}
