package dev.assay.client;

import com.google.protobuf.CodedOutputStream;
import dev.assay.v1.CreateDraftRequest;
import dev.assay.v1.CreateModelRequest;
import dev.assay.v1.CreateVersionRequest;
import dev.assay.v1.CreateVersionResponse;
import dev.assay.v1.Draft;
import dev.assay.v1.DraftState;
import dev.assay.v1.ErrorReason;
import dev.assay.v1.File;
import dev.assay.v1.GetDraftRequest;
import dev.assay.v1.GetVersionRequest;
import dev.assay.v1.ModelVersion;
import dev.assay.v1.PublishVersionRequest;
import dev.assay.v1.PublishVersionResponse;
import dev.assay.v1.RegistryServiceGrpc;
import dev.assay.v1.SealDraftRequest;
import dev.assay.v1.SealDraftResponse;
import dev.assay.v1.VersionState;
import io.grpc.Status;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;

/**
 * One push under way: hash, and ask whether the server has it all; else find the draft, upload what the server does not
 * have, seal.
 */
final class Push {
    /** Up to here the server is asked first whether it has everything: the same in every client. */
    static final long AT_ONCE_BYTES_MAX = 64L << 20;

    /** Some 200 KiB of a message that has room for 4 MiB. */
    static final int AT_ONCE_FILES_MAX = 1000;

    /** Where a version was published before, there is nothing left to do. */
    private static final Set<VersionState> PUBLISHED =
            Set.of(VersionState.VERSION_STATE_READY, VersionState.VERSION_STATE_DEPRECATED);

    private final Connection connection;
    private final String model;
    private final PushOptions options;
    private final List<LocalFile> files;
    private final AtomicLong sentBytes = new AtomicLong();

    Push(Connection connection, String model, Path source, PushOptions options) {
        this.connection = connection;
        this.model = Names.modelName(model);
        this.options = options;
        files = LocalFiles.find(source, options.exclude);
        files.forEach(file -> file.describe(
                Required.of(options.mediaTypeOf.apply(file.path), "mediaTypes"),
                Required.of(options.roleOf.apply(file.path), "roles")));
    }

    Pushed run() {
        hash();
        Optional<Pushed> known = options.draft.isEmpty() && isSmall() ? ofKnown() : Optional.empty();
        return known.orElseGet(this::byDraft);
    }

    private boolean isSmall() {
        return files.size() <= AT_ONCE_FILES_MAX && sum(manifest()) <= AT_ONCE_BYTES_MAX;
    }

    /** The version, if the server has all that it is made of; else a draft is to be filled. */
    private Optional<Pushed> ofKnown() {
        Draft content = options.content.build();
        CreateVersionRequest request = CreateVersionRequest.newBuilder()
                .setParent(model)
                .setVersion(ModelVersion.newBuilder()
                        .addAllFiles(manifest())
                        .setFacts(content.getFacts())
                        .setDescription(content.getDescription())
                        .setCard(content.getCard())
                        .putAllTags(content.getTagsMap()))
                .setManifestDigest(Manifests.digest(manifest()))
                .setPublish(options.publish)
                .setBump(options.bump)
                .setSemver(options.semver)
                .build();
        try {
            CreateVersionResponse answer = connection.call(RegistryServiceGrpc.getCreateVersionMethod(), request);
            tellAllIsThere();
            return Optional.of(new Pushed(answer.getVersion(), answer.getExisted(), 0, answer.getRevision()));
        } catch (MethodUnknown | NotFound olderOrNoModel) {
            return Optional.empty();
        } catch (NotPossibleNow refusal) {
            if (!refusal.hasReason(ErrorReason.ERROR_REASON_FILES_MISSING)) {
                throw refusal;
            }
            return Optional.empty();
        }
    }

    private void tellAllIsThere() {
        Meter meter = new Meter(Step.SENDING, options.onProgress, sum(manifest()));
        manifest().forEach(file -> meter.set(file.getPath(), file.getSizeBytes(), file.getSizeBytes()));
    }

    private Pushed byDraft() {
        Draft draft = draft();
        if (draft.getState() == DraftState.DRAFT_STATE_SEALED) {
            return sealedBefore(draft);
        }
        Map<String, String> present =
                draft.getFilesList().stream().collect(Collectors.toMap(File::getPath, File::getDigest));
        Meter meter = new Meter(Step.SENDING, options.onProgress, sum(manifest()));
        try {
            Parallel.each(connection.executor, options.filesAtOnce, files, (number, file) -> {
                File described = file.described();
                if (!described.getDigest().equals(present.get(file.path))) {
                    new Upload(connection, connection.carrier(number), draft.getName(), file, meter, sentBytes).run();
                }
                meter.set(file.path, described.getSizeBytes(), described.getSizeBytes());
            });
            return seal(draft.getName());
        } catch (NotPossibleNow refusal) {
            return sealedMeanwhile(draft.getName(), refusal);
        }
    }

    /** Reads every file once, and knows then how much there is to send. */
    private void hash() {
        long listed = files.stream().mapToLong(file -> file.seenBytes).sum();
        Meter meter = new Meter(Step.HASHING, options.onProgress, listed);
        Parallel.each(connection.executor, options.filesAtOnce, files, (number, file) -> file.hash(meter));
    }

    private List<File> manifest() {
        return files.stream().map(LocalFile::described).collect(Collectors.toList());
    }

    private static long sum(List<File> described) {
        return described.stream().mapToLong(File::getSizeBytes).sum();
    }

    /** The draft to fill: the one that was named, or that of an earlier push of the same content, or a new one. */
    private Draft draft() {
        if (!options.draft.isEmpty()) {
            return get(options.draft);
        }
        CreateDraftRequest request =
                CreateDraftRequest.newBuilder().setParent(model).setDraft(options.content).build();
        Draft draft = create(request.toBuilder().setRequestId(requestId(request)).build());
        try {
            // The answer may be that to an earlier push: what the draft is now is another question.
            Draft now = get(draft.getName());
            return now.getState() == DraftState.DRAFT_STATE_ABANDONED ? create(request) : now;
        } catch (NotFound collected) {
            return create(request);
        }
    }

    private Draft get(String name) {
        return connection
                .call(RegistryServiceGrpc.getGetDraftMethod(), GetDraftRequest.newBuilder().setName(name).build())
                .getDraft();
    }

    private Draft create(CreateDraftRequest request) {
        try {
            return connection.call(RegistryServiceGrpc.getCreateDraftMethod(), request).getDraft();
        } catch (NotFound absent) {
            if (options.newModel == null) {
                throw absent;
            }
            createModel();
            return connection.call(RegistryServiceGrpc.getCreateDraftMethod(), request).getDraft();
        }
    }

    private void createModel() {
        int cut = model.indexOf("/models/");
        CreateModelRequest request = CreateModelRequest.newBuilder()
                .setParent(model.substring(0, cut))
                .setModelId(model.substring(cut + "/models/".length()))
                .setModel(options.newModel)
                .build();
        try {
            connection.call(RegistryServiceGrpc.getCreateModelMethod(), request);
        } catch (AlreadyExists fasterThanUs) {
            // Someone else made the model at the same time, which is what was wanted.
            return;
        }
    }

    /** The same for the same push, so that the server answers a repetition with the same draft. */
    private String requestId(CreateDraftRequest request) {
        byte[] content = new byte[request.getSerializedSize()];
        CodedOutputStream output = CodedOutputStream.newInstance(content);
        output.useDeterministicSerialization();
        try {
            request.writeTo(output);
        } catch (IOException impossible) {
            throw new UncheckedIOException("An array of the right size takes the message", impossible);
        }
        return Ids.derived(model + "/pushes/" + Manifests.digest(manifest()) + "/" + Digests.hex(content));
    }

    private Pushed seal(String draft) {
        SealDraftRequest request = SealDraftRequest.newBuilder()
                .setName(draft)
                .setManifestDigest(Manifests.digest(manifest()))
                .setPublish(options.publish)
                .setBump(options.bump)
                .setSemver(options.semver)
                .build();
        SealDraftResponse answer = connection.call(RegistryServiceGrpc.getSealDraftMethod(), request);
        return new Pushed(answer.getVersion(), answer.getExisted(), sentBytes.get(), answer.getRevision());
    }

    /** A push of the same content at the same time may have been faster. */
    private Pushed sealedMeanwhile(String name, NotPossibleNow refusal) {
        Draft draft = refusal.hasReason(ErrorReason.ERROR_REASON_DRAFT_NOT_OPEN) ? get(name) : Draft.getDefaultInstance();
        if (draft.getVersion().isEmpty()) {
            throw refusal;
        }
        return sealedBefore(draft);
    }

    /** Goes on where an earlier push ended between sealing and telling. */
    private Pushed sealedBefore(Draft draft) {
        ModelVersion version = connection
                .call(
                        RegistryServiceGrpc.getGetVersionMethod(),
                        GetVersionRequest.newBuilder().setName(draft.getVersion()).build())
                .getVersion();
        if (options.publish && !PUBLISHED.contains(version.getState())) {
            return published(version);
        }
        if (version.getState() == VersionState.VERSION_STATE_DELETED) {
            throw new NotPossibleNow(Failure.of("%s has this content, and was deleted. Undelete it instead of pushing it "
                            + "again.", Names.shortName(version.getName()))
                    .code(Status.Code.FAILED_PRECONDITION)
                    .reason("TRANSITION_ILLEGAL"));
        }
        return new Pushed(version, true, sentBytes.get(), 0);
    }

    /** What can no longer be published the server refuses, and says why. */
    private Pushed published(ModelVersion version) {
        PublishVersionRequest request = PublishVersionRequest.newBuilder()
                .setName(version.getName())
                .setBump(options.bump)
                .setSemver(options.semver)
                .build();
        PublishVersionResponse answer = connection.call(RegistryServiceGrpc.getPublishVersionMethod(), request);
        return new Pushed(answer.getVersion(), true, sentBytes.get(), answer.getRevision());
    }
}
