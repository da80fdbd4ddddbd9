package dev.assay.client;

import java.util.List;

/** A gate refuses the move; {@link #findings()} holds every rule that is not met. */
public final class GateClosed extends NotPossibleNow {
    private static final long serialVersionUID = 1L;

    GateClosed(Failure failure) {
        super(failure);
    }

    /**
     * Gives every rule that is not met.
     *
     * @return one per rule; the subject names gate and rule, such as {@code namespaces/vision/gates/publish#accuracy}
     */
    public List<Violation> findings() {
        return violations();
    }
}
