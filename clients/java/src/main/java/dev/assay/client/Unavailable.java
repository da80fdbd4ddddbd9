package dev.assay.client;

/** The server cannot serve at this moment: try again. */
public class Unavailable extends AssayException {
    private static final long serialVersionUID = 1L;

    Unavailable(Failure failure) {
        super(failure);
    }
}
