package dev.assay.client;

import dev.assay.v1.Bump;

/** Whether a version is published as it is made. Nothing said, it becomes a candidate. */
public final class CreateVersionOptions {
    boolean publish;
    Bump bump = Bump.BUMP_UNSPECIFIED;
    String semver = "";

    private CreateVersionOptions() {}

    /**
     * Starts with a candidate.
     *
     * @return options to change
     */
    public static CreateVersionOptions create() {
        return new CreateVersionOptions();
    }

    /**
     * Publishes in the same step. Where a gate is closed, nothing is made.
     *
     * @return these options
     */
    public CreateVersionOptions publish() {
        publish = true;
        return this;
    }

    /**
     * Says which part of the semantic version grows, and publishes.
     *
     * @param part the part
     * @return these options
     */
    public CreateVersionOptions publish(Bump part) {
        bump = Required.of(part, "part");
        return publish();
    }

    /**
     * Says which semantic version it gets, and publishes.
     *
     * @param version such as {@code 2.0.0}
     * @return these options
     */
    public CreateVersionOptions publish(String version) {
        semver = Required.of(version, "version");
        return publish();
    }
}
