package dev.assay.client;

/** An operator denied the certificate, its key or whom it names: ask them; trying again does not help. */
public final class CertificateDenied extends Unauthenticated {
    private static final long serialVersionUID = 1L;

    CertificateDenied(Failure failure) {
        super(failure);
    }
}
