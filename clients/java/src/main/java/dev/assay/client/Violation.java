package dev.assay.client;

import java.io.Serializable;

/** One of several faults: a field that is wrong, or a rule of a gate that is not met. */
public final class Violation implements Serializable {
    private static final long serialVersionUID = 1L;

    /** A field, or a gate and its rule. */
    private final String subject;

    /** A sentence. */
    private final String description;

    /** Classes the fault; may be empty. */
    private final String type;

    Violation(String subject, String description, String type) {
        this.subject = subject;
        this.description = description;
        this.type = type;
    }

    /**
     * Names what is at fault.
     *
     * @return a field, or a gate and its rule such as {@code namespaces/vision/gates/publish#accuracy}
     */
    public String subject() {
        return subject;
    }

    /**
     * Says what is wrong with it.
     *
     * @return a sentence
     */
    public String description() {
        return description;
    }

    /**
     * Classes the fault.
     *
     * @return a word such as {@code GATE_RULE}; empty for fields
     */
    public String type() {
        return type;
    }

    @Override
    public String toString() {
        return subject + ": " + description;
    }
}
