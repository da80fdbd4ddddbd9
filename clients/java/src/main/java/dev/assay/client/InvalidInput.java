package dev.assay.client;

/** The request is wrong whatever the registry holds: change it. */
public final class InvalidInput extends AssayException {
    private static final long serialVersionUID = 1L;

    InvalidInput(Failure failure) {
        super(failure);
    }
}
