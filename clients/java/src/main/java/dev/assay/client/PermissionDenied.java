package dev.assay.client;

/** You may see it, but may not do this. */
public final class PermissionDenied extends AssayException {
    private static final long serialVersionUID = 1L;

    PermissionDenied(Failure failure) {
        super(failure);
    }

    /**
     * Names the permission that is missing.
     *
     * @return the permission, such as {@code versions.publish}; empty where the server did not say
     */
    public String permission() {
        return metadata().getOrDefault("permission", "");
    }
}
