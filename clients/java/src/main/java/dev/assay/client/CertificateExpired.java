package dev.assay.client;

/** The certificate expired while the connection was open. */
public final class CertificateExpired extends Unauthenticated {
    private static final long serialVersionUID = 1L;

    CertificateExpired(Failure failure) {
        super(failure);
    }
}
