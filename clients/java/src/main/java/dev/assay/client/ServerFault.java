package dev.assay.client;

/** A fault of the server; {@link #requestId()} is where to look in its log. */
public final class ServerFault extends AssayException {
    private static final long serialVersionUID = 1L;

    ServerFault(Failure failure) {
        super(failure);
    }
}
