package dev.assay.client;

/** Certificates or keys cannot be read, or do not fit together. */
public final class CertificateUnusable extends AssayException {
    private static final long serialVersionUID = 1L;

    CertificateUnusable(Failure failure) {
        super(failure);
    }
}
