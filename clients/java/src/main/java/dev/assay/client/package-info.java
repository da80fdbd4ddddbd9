/**
 * Client of the Assay model registry, which proves a model before it serves it.
 *
 * <p>{@link dev.assay.client.AssayClient} has one verb per intention; results are the messages of the contract, from
 * {@code dev.assay.v1}. Everything that fails throws a {@link dev.assay.client.AssayException} whose message says what
 * was wrong, where, and what to do.
 */
package dev.assay.client;
