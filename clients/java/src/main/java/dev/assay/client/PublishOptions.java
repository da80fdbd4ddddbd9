package dev.assay.client;

import dev.assay.v1.Bump;

/** Which semantic version a published version gets. Nothing said, the server infers it from what changed. */
public final class PublishOptions {
    Bump bump = Bump.BUMP_UNSPECIFIED;
    String semver = "";
    String etag = "";

    private PublishOptions() {}

    /**
     * Starts with leaving it to the server.
     *
     * @return options to change
     */
    public static PublishOptions create() {
        return new PublishOptions();
    }

    /**
     * Says which part grows.
     *
     * @param part the part
     * @return these options
     */
    public PublishOptions bump(Bump part) {
        bump = Required.of(part, "part");
        return this;
    }

    /**
     * Says which semantic version it gets; that excludes a bump.
     *
     * @param version such as {@code 2.0.0}
     * @return these options
     */
    public PublishOptions semver(String version) {
        semver = Required.of(version, "version");
        return this;
    }

    /**
     * Publishes only if nobody changed the version since it was read.
     *
     * @param tag the etag that it had
     * @return these options
     */
    public PublishOptions etag(String tag) {
        etag = Required.of(tag, "tag");
        return this;
    }
}
