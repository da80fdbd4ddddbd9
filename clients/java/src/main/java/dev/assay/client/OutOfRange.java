package dev.assay.client;

/** A position lies outside of what there is. */
public class OutOfRange extends AssayException {
    private static final long serialVersionUID = 1L;

    OutOfRange(Failure failure) {
        super(failure);
    }
}
