package dev.assay.client;

/** Another pull of the same version to the same place is under way. */
public final class TargetBusy extends AssayException {
    private static final long serialVersionUID = 1L;

    TargetBusy(Failure failure) {
        super(failure);
    }
}
