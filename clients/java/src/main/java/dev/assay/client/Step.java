package dev.assay.client;

/** What is being done to files. */
public enum Step {
    /** Files are read for their digests. */
    HASHING,
    /** Files go to the server. */
    SENDING,
    /** Files come from the server. */
    RECEIVING
}
