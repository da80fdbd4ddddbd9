package dev.assay.client;

import dev.assay.v1.AccessServiceGrpc;
import dev.assay.v1.ArtifactServiceGrpc;
import dev.assay.v1.AuditServiceGrpc;
import dev.assay.v1.CheckGateRequest;
import dev.assay.v1.CreateVersionRequest;
import dev.assay.v1.CreateVersionResponse;
import dev.assay.v1.Evaluation;
import dev.assay.v1.EvaluationServiceGrpc;
import dev.assay.v1.GetVersionRequest;
import dev.assay.v1.ImportEvaluationRequest;
import dev.assay.v1.ModelVersion;
import dev.assay.v1.PublishVersionRequest;
import dev.assay.v1.PublishVersionResponse;
import dev.assay.v1.ReadArtifactRequest;
import dev.assay.v1.RegistryServiceGrpc;
import dev.assay.v1.ResolveVersionRequest;
import dev.assay.v1.ResolveVersionResponse;
import dev.assay.v1.SetAliasRequest;
import dev.assay.v1.SetAliasResponse;
import dev.assay.v1.Verdict;
import dev.assay.v1.WatchServiceGrpc;
import dev.assay.v1.WhoAmIRequest;
import dev.assay.v1.WhoAmIResponse;
import io.grpc.Channel;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.AbstractStub;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/**
 * A registry, spoken to from any number of threads. Make one client for the whole program, and close it at the end.
 *
 * <pre>{@code
 * Tls tls = Tls.fromFiles(Path.of("ca.crt"), Path.of("me.crt"), Path.of("me.key"));
 * try (AssayClient client = AssayClient.builder("registry.example.com:8443").tls(tls).build()) {
 *     client.pull("vision/digits@champion", Path.of("models/digits"));
 * }
 * }</pre>
 *
 * <p>Versions are named as people write them, {@code vision/digits/7}, or by anything that resolves to one, such as {@code
 * vision/digits@champion}. Every verb throws {@link AssayException}. Calls are given up when the thread that waits for them
 * is interrupted, or when the {@link io.grpc.Context} in which they were made is cancelled: {@link CallCancelled}.
 */
public final class AssayClient extends ListVerbs implements AutoCloseable {
    AssayClient(Connection connection) {
        super(connection);
    }

    /**
     * Starts a client.
     *
     * @param target host and port of the server, such as {@code registry.example.com:8443}
     * @return what takes certificates, and makes the client
     */
    public static AssayClientBuilder builder(String target) {
        return new AssayClientBuilder(target);
    }

    /**
     * Tells which server this client speaks to.
     *
     * @return host and port
     */
    public String target() {
        return connection.target;
    }

    /**
     * Tells which principal the server sees, and what roles it has where.
     *
     * @return the answer of the server
     */
    public WhoAmIResponse whoAmI() {
        return connection.call(AccessServiceGrpc.getWhoAmIMethod(), WhoAmIRequest.getDefaultInstance());
    }

    /**
     * Makes a version of a file or of a directory: creates a draft, uploads what the server does not have, and seals.
     *
     * @param model such as {@code vision/digits}
     * @param source a file, or a directory with all that is below it
     * @return the version
     * @see #push(String, Path, PushOptions)
     */
    public Pushed push(String model, Path source) {
        return push(model, source, PushOptions.create());
    }

    /**
     * Makes a version of a file or of a directory: creates a draft, uploads what the server does not have, and seals.
     *
     * <p>Where the files have 64 MiB at most and the server has all of them already, that is one call, and no draft is made.
     * Else files are read once to hash them and once to send them, in bounded memory. After a break it goes on from what the
     * server holds for certain, until nothing moved for as long as {@link AssayClientBuilder#patience} says; pushing again,
     * even after a restart, goes on as well.
     *
     * @param model such as {@code vision/digits}
     * @param source a file, or a directory with all that is below it
     * @param options what is sealed with the files, and how they are sent
     * @return the version
     * @throws UnsafeFile if there is a link, a device, or a name that could not exist on every machine; nothing was sent
     * @throws TransferInterrupted if nothing moved for too long
     * @throws ContentMismatch if a file changed while it was sent
     */
    public Pushed push(String model, Path source, PushOptions options) {
        Required.of(model, "model");
        Required.of(source, "source");
        Required.of(options, "options");
        return new Push(connection, model, source, options).run();
    }

    /**
     * Pushes in the background. Cancelling the future ends the transfer.
     *
     * @param model such as {@code vision/digits}
     * @param source a file, or a directory with all that is below it
     * @param options what is sealed with the files, and how they are sent
     * @return what {@link #push(String, Path, PushOptions)} gives or throws
     */
    public CompletableFuture<Pushed> pushAsync(String model, Path source, PushOptions options) {
        return Background.run(connection.executor, () -> push(model, source, options));
    }

    /**
     * Brings the files of a version into a directory.
     *
     * @param reference such as {@code vision/digits@champion}
     * @param directory where they shall be
     * @return the version
     * @see #pull(String, Path, PullOptions)
     */
    public Pulled pull(String reference, Path directory) {
        return pull(reference, directory, PullOptions.create());
    }

    /**
     * Brings the files of a version into a directory, which must not exist, be empty, or hold exactly that version.
     *
     * <p>Every file is verified against its SHA-256 and the list of files against the manifest digest, and only then does
     * the directory get its name: there is never half a version under it. Files arrive in parallel ranges in a hidden
     * directory beside it, where a pull that was interrupted, even by the end of the program, goes on when it is called
     * again.
     *
     * @param reference such as {@code vision/digits@champion}
     * @param directory where the files shall be
     * @param options how they are fetched
     * @return the version
     * @throws TargetExists if something else is there
     * @throws TargetBusy if another pull of the same to there is under way
     * @throws ContentMismatch if what arrived is not what the digests promise
     * @throws LocalDiskFull if no space is left
     * @throws TransferInterrupted if nothing moved for too long
     */
    public Pulled pull(String reference, Path directory, PullOptions options) {
        Required.of(reference, "reference");
        Required.of(directory, "directory");
        Required.of(options, "options");
        ResolveVersionResponse resolved = resolve(reference);
        ModelVersion version = resolved.getVersion().getFilesCount() > 0
                ? resolved.getVersion()
                : getVersion(resolved.getVersion().getName());
        Manifests.check(version);
        Path target = directory.toAbsolutePath().normalize();
        boolean existed = new Pull(connection, version, target, options).run();
        return new Pulled(version, target, existed, resolved.getWarningsList());
    }

    /**
     * Pulls in the background. Cancelling the future ends the transfer.
     *
     * @param reference such as {@code vision/digits@champion}
     * @param directory where the files shall be
     * @param options how they are fetched
     * @return what {@link #pull(String, Path, PullOptions)} gives or throws
     */
    public CompletableFuture<Pulled> pullAsync(String reference, Path directory, PullOptions options) {
        return Background.run(connection.executor, () -> pull(reference, directory, options));
    }

    /**
     * Reads part of a file into memory; the server verifies every range before it sends it. After a break it goes on from
     * what has arrived, until nothing moved for as long as {@link AssayClientBuilder#patience} says.
     *
     * @param reference such as {@code vision/digits/7}
     * @param path the path of the file in the version
     * @param offset the first byte wanted
     * @param length how many bytes are wanted; 0 for all to the end
     * @return the bytes
     * @throws OutOfRange if the range ends after the file does
     * @throws TransferInterrupted if nothing moved for too long
     */
    public byte[] readRange(String reference, String path, long offset, long length) {
        Required.of(reference, "reference");
        Required.of(path, "path");
        ReadArtifactRequest request = ReadArtifactRequest.newBuilder()
                .setName(versionName(reference))
                .setPath(path)
                .setOffset(offset)
                .setLength(length)
                .build();
        return new RangeRead(connection, request).run();
    }

    /**
     * Finds the version that a reference stands for, its files and what to know about it.
     *
     * @param reference {@code vision/digits/7}, or {@code vision/digits} with {@code @champion}, {@code @1.4.2}, {@code
     *     @^1.4}, {@code @~1.4}, {@code @latest}, {@code @greatest} or {@code @sha256:…}
     * @return the version, and warnings, for example that it is deprecated
     * @throws NotFound if there is no such version, or you may not read it
     */
    public ResolveVersionResponse resolve(String reference) {
        return connection.call(RegistryServiceGrpc.getResolveVersionMethod(), resolution(reference));
    }

    /**
     * Resolves without a thread that waits.
     *
     * @param reference what {@link #resolve} takes
     * @return what {@link #resolve} gives or throws; cancelling it ends the call
     */
    public CompletableFuture<ResolveVersionResponse> resolveAsync(String reference) {
        try {
            return Background.call(connection, RegistryServiceGrpc.getResolveVersionMethod(), resolution(reference));
        } catch (InvalidInput refusal) {
            return CompletableFuture.failedFuture(refusal);
        }
    }

    private static ResolveVersionRequest resolution(String reference) {
        return ResolveVersionRequest.newBuilder()
                .setReference(Required.of(reference, "reference"))
                .build();
    }

    private ModelVersion getVersion(String name) {
        GetVersionRequest request = GetVersionRequest.newBuilder().setName(name).build();
        return connection.call(RegistryServiceGrpc.getGetVersionMethod(), request).getVersion();
    }

    @Override
    String versionName(String reference) {
        String name = Names.versionName(reference);
        return name == null ? resolve(reference).getVersion().getName() : name;
    }

    /**
     * Records what was measured of a version; gates decide by it.
     *
     * @param version such as {@code vision/digits/7}
     * @param evaluation a dataset with its digest, a sample count, and metrics: see {@link Metrics}
     * @return the evaluation as recorded
     */
    public Evaluation evaluate(String version, Evaluation evaluation) {
        Required.of(version, "version");
        Required.of(evaluation, "evaluation");
        ImportEvaluationRequest request = ImportEvaluationRequest.newBuilder()
                .setParent(versionName(version))
                .setEvaluation(evaluation)
                .build();
        return connection
                .call(EvaluationServiceGrpc.getImportEvaluationMethod(), request)
                .getEvaluation();
    }

    /**
     * Says what the gates would answer to a move of a version now, rule by rule, without moving anything.
     *
     * @param version such as {@code vision/digits/7}
     * @param gate {@code publish}, or {@code alias-} and an alias
     * @return the verdict
     */
    public Verdict checkGate(String version, String gate) {
        Required.of(version, "version");
        Required.of(gate, "gate");
        CheckGateRequest request = CheckGateRequest.newBuilder()
                .setVersion(versionName(version))
                .setGateId(gate)
                .build();
        return connection.call(EvaluationServiceGrpc.getCheckGateMethod(), request).getVerdict();
    }

    /**
     * Makes a version, in one call and without a transfer, of files that versions in the namespace have already. It is safe
     * to repeat.
     *
     * @param model such as {@code vision/digits}
     * @param version its files (path, size and digest of each, such as those of another version), facts, description, card
     *     and tags; the server sets all else
     * @param options whether it is published
     * @return the version; the one with the same files and facts if there is such a one
     * @throws NotPossibleNow with the reason FILES_MISSING, if you may not download the content of some file from anywhere
     *     there; {@link NotPossibleNow#violations()} names every one: push them
     * @throws GateClosed if a rule is not met; nothing was made
     */
    public Pushed createVersion(String model, ModelVersion version, CreateVersionOptions options) {
        Required.of(model, "model");
        Required.of(version, "version");
        Required.of(options, "options");
        ModelVersion.Builder wanted = ModelVersion.newBuilder()
                .addAllFiles(version.getFilesList())
                .setDescription(version.getDescription())
                .setCard(version.getCard())
                .putAllTags(version.getTagsMap());
        if (version.hasFacts()) {
            wanted.setFacts(version.getFacts());
        }
        CreateVersionRequest request = CreateVersionRequest.newBuilder()
                .setParent(Names.modelName(model))
                .setVersion(wanted)
                .setPublish(options.publish)
                .setBump(options.bump)
                .setSemver(options.semver)
                .build();
        CreateVersionResponse answer = connection.call(RegistryServiceGrpc.getCreateVersionMethod(), request);
        return new Pushed(answer.getVersion(), answer.getExisted(), 0, answer.getRevision());
    }

    /**
     * Makes a version of known files in the background.
     *
     * @param model such as {@code vision/digits}
     * @param version its files, facts, description, card and tags
     * @param options whether it is published
     * @return what {@link #createVersion} gives or throws; cancelling it ends the call
     */
    public CompletableFuture<Pushed> createVersionAsync(String model, ModelVersion version, CreateVersionOptions options) {
        return Background.run(connection.executor, () -> createVersion(model, version, options));
    }

    /**
     * Asks the gates and makes a version READY, with the semantic version that follows from what changed.
     *
     * @param version such as {@code vision/digits/7}
     * @return the version, the verdict, and why the semantic version grew as it did
     * @see #publish(String, PublishOptions)
     */
    public PublishVersionResponse publish(String version) {
        return publish(version, PublishOptions.create());
    }

    /**
     * Asks the gates and makes a version READY.
     *
     * @param version such as {@code vision/digits/7}
     * @param options which semantic version it gets
     * @return the version, the verdict, and why the semantic version grew as it did
     * @throws GateClosed if a rule is not met; {@link GateClosed#findings()} holds every one
     */
    public PublishVersionResponse publish(String version, PublishOptions options) {
        Required.of(version, "version");
        Required.of(options, "options");
        PublishVersionRequest request = PublishVersionRequest.newBuilder()
                .setName(versionName(version))
                .setBump(options.bump)
                .setSemver(options.semver)
                .setEtag(options.etag)
                .build();
        return connection.call(RegistryServiceGrpc.getPublishVersionMethod(), request);
    }

    /**
     * Moves an alias by compare-and-set, so that nobody moves it without having looked.
     *
     * @param alias such as {@code vision/digits@champion}
     * @param version number of the version to point to; it must be published
     * @param expected the number that it points to now; 0 while it must not exist
     * @param reason why, for the people who read the history
     * @return the alias, and the verdict where a gate guards it
     * @throws AliasMoved if it points elsewhere; {@link AliasMoved#currentVersionNumber()} says where
     * @throws GateClosed if a rule is not met
     */
    public SetAliasResponse setAlias(String alias, long version, long expected, String reason) {
        Required.of(alias, "alias");
        Required.of(reason, "reason");
        SetAliasRequest request = SetAliasRequest.newBuilder()
                .setName(Names.aliasName(alias))
                .setVersionNumber(version)
                .setExpectedVersionNumber(expected)
                .setReason(reason)
                .build();
        return connection.call(RegistryServiceGrpc.getSetAliasMethod(), request);
    }

    /**
     * Follows the changes in a scope from now on.
     *
     * @param scope {@code vision}, {@code vision/digits}, any resource name, or empty for all that you may read
     * @return the changes, until it is closed
     * @see #watch(WatchOptions)
     */
    public Watch watch(String scope) {
        return watch(WatchOptions.create().scope(Required.of(scope, "scope")));
    }

    /**
     * Follows changes.
     *
     * @param options what to watch, and from where
     * @return the changes, until it is closed
     * @throws Unreachable if the server is not there at the start
     */
    public Watch watch(WatchOptions options) {
        return new Watch(connection, Required.of(options, "options"));
    }

    /**
     * Gives the stub for models, drafts, versions and aliases. Stubs are for what the verbs do not cover: they throw
     * {@link StatusRuntimeException}, which {@link #explain} turns into what the verbs throw. Deadlines, request ids and
     * gRPC's own retries are the same.
     *
     * @return a stub that waits
     */
    public RegistryServiceGrpc.RegistryServiceBlockingStub registry() {
        return RegistryServiceGrpc.newBlockingStub(channel());
    }

    /**
     * Gives the stub for the bytes of files.
     *
     * @return a stub that waits
     */
    public ArtifactServiceGrpc.ArtifactServiceBlockingStub artifacts() {
        return ArtifactServiceGrpc.newBlockingStub(channel());
    }

    /**
     * Gives the stub for evaluations and gates.
     *
     * @return a stub that waits
     */
    public EvaluationServiceGrpc.EvaluationServiceBlockingStub evaluations() {
        return EvaluationServiceGrpc.newBlockingStub(channel());
    }

    /**
     * Gives the stub for namespaces and role bindings.
     *
     * @return a stub that waits
     */
    public AccessServiceGrpc.AccessServiceBlockingStub access() {
        return AccessServiceGrpc.newBlockingStub(channel());
    }

    /**
     * Gives the stub for the audit trail.
     *
     * @return a stub that waits
     */
    public AuditServiceGrpc.AuditServiceBlockingStub audit() {
        return AuditServiceGrpc.newBlockingStub(channel());
    }

    /**
     * Gives the stub for events; see {@link #watch(WatchOptions)}.
     *
     * @return a stub that waits
     */
    public WatchServiceGrpc.WatchServiceBlockingStub watcher() {
        return WatchServiceGrpc.newBlockingStub(channel());
    }

    /**
     * Gives a stub of any kind: {@code client.stub(RegistryServiceGrpc::newFutureStub)}.
     *
     * @param make makes the stub of a channel
     * @param <S> the kind of stub
     * @return the stub
     */
    public <S extends AbstractStub<S>> S stub(Function<Channel, S> make) {
        return Required.of(make, "make").apply(channel());
    }

    /**
     * Gives the channel below the stubs.
     *
     * @return the channel; it is closed with the client
     */
    public Channel channel() {
        return connection.channel();
    }

    /**
     * Says what a status means that a stub threw.
     *
     * @param error what it threw
     * @return what a verb would have thrown
     */
    public AssayException explain(StatusRuntimeException error) {
        return connection.explain(Required.of(error, "error"));
    }

    /** Ends all connections; calls still under way fail with {@link CallCancelled}. */
    @Override
    public void close() {
        connection.close();
    }
}
