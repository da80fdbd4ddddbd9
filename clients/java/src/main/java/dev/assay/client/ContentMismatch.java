package dev.assay.client;

/** What arrived, or was sent, is not what was promised; nothing of it is kept. */
public final class ContentMismatch extends AssayException {
    private static final long serialVersionUID = 1L;

    ContentMismatch(Failure failure) {
        super(failure);
    }
}
