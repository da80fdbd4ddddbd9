package dev.assay.client;

/** The resource changed since it was read. */
public final class EtagMismatch extends Raced {
    private static final long serialVersionUID = 1L;

    EtagMismatch(Failure failure) {
        super(failure);
    }

    /**
     * Gives the tag that the resource has now.
     *
     * @return the etag; empty where the server did not say
     */
    public String currentEtag() {
        return metadata().getOrDefault("current_etag", "");
    }
}
