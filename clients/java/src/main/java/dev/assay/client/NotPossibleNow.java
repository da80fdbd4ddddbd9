package dev.assay.client;

/** The state of things forbids it: change that state first. */
public class NotPossibleNow extends AssayException {
    private static final long serialVersionUID = 1L;

    NotPossibleNow(Failure failure) {
        super(failure);
    }
}
