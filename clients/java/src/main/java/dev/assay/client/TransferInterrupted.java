package dev.assay.client;

/** Bytes stopped moving for longer than the patience of the client; do it again to go on from there. */
public final class TransferInterrupted extends AssayException {
    private static final long serialVersionUID = 1L;

    TransferInterrupted(Failure failure) {
        super(failure);
    }

    /**
     * Names the draft that a push was filling.
     *
     * @return the resource name of the draft; empty for a pull
     */
    public String draft() {
        return metadata().getOrDefault("draft", "");
    }
}
