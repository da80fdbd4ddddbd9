package dev.assay.client;

/** The server does not know the method: it is older than this client. */
public final class MethodUnknown extends AssayException {
    private static final long serialVersionUID = 1L;

    MethodUnknown(Failure failure) {
        super(failure);
    }
}
