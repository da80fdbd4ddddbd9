package dev.assay.client;

/** The alias does not point where you expected. */
public final class AliasMoved extends Raced {
    private static final long serialVersionUID = 1L;

    AliasMoved(Failure failure) {
        super(failure);
    }

    /**
     * Tells where the alias points.
     *
     * @return the number of the version; 0 for nowhere
     */
    public long currentVersionNumber() {
        return number("current_version_number");
    }
}
