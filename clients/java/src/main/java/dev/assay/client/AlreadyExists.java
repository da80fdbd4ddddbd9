package dev.assay.client;

/** The id was used already, perhaps by something deleted. */
public final class AlreadyExists extends AssayException {
    private static final long serialVersionUID = 1L;

    AlreadyExists(Failure failure) {
        super(failure);
    }
}
