package dev.assay.client;

import com.google.protobuf.ByteString;
import dev.assay.v1.AbortUploadRequest;
import dev.assay.v1.AbortUploadResponse;
import dev.assay.v1.AccessServiceGrpc;
import dev.assay.v1.ArtifactServiceGrpc;
import dev.assay.v1.BeginUploadRequest;
import dev.assay.v1.BeginUploadResponse;
import dev.assay.v1.CommitUploadRequest;
import dev.assay.v1.CommitUploadResponse;
import dev.assay.v1.CreateDraftRequest;
import dev.assay.v1.CreateDraftResponse;
import dev.assay.v1.CreateVersionRequest;
import dev.assay.v1.CreateVersionResponse;
import dev.assay.v1.Draft;
import dev.assay.v1.DraftState;
import dev.assay.v1.File;
import dev.assay.v1.GetDraftRequest;
import dev.assay.v1.GetDraftResponse;
import dev.assay.v1.GetUploadRequest;
import dev.assay.v1.GetUploadResponse;
import dev.assay.v1.GetVersionRequest;
import dev.assay.v1.GetVersionResponse;
import dev.assay.v1.ListNamespacesRequest;
import dev.assay.v1.ListNamespacesResponse;
import dev.assay.v1.ListVersionsRequest;
import dev.assay.v1.ListVersionsResponse;
import dev.assay.v1.ModelVersion;
import dev.assay.v1.ReadArtifactRequest;
import dev.assay.v1.ReadArtifactResponse;
import dev.assay.v1.RegistryServiceGrpc;
import dev.assay.v1.ResolveVersionRequest;
import dev.assay.v1.ResolveVersionResponse;
import dev.assay.v1.SealDraftRequest;
import dev.assay.v1.SealDraftResponse;
import dev.assay.v1.Upload;
import dev.assay.v1.UploadState;
import dev.assay.v1.WhoAmIRequest;
import dev.assay.v1.WhoAmIResponse;
import dev.assay.v1.WriteUploadRequest;
import dev.assay.v1.WriteUploadResponse;
import io.grpc.BindableService;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.io.ByteArrayOutputStream;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;

/** A registry with one model, in memory, whose transfers can be made to fail. */
final class FakeRegistry {
    static final String MODEL = "namespaces/vision/models/digits";
    static final String VERSION = MODEL + "/versions/1";
    private static final int MESSAGE_BYTES = 1 << 20;

    final Map<String, byte[]> files = new ConcurrentSkipListMap<>();
    final Map<String, Upload> uploads = new ConcurrentHashMap<>();
    private final Map<String, ByteArrayOutputStream> bytes = new ConcurrentHashMap<>();
    final Map<String, String> draftOfRequest = new ConcurrentHashMap<>();
    volatile Draft draft = Draft.getDefaultInstance();
    volatile ModelVersion version = ModelVersion.getDefaultInstance();
    /** Bytes after which a stream is cut, once. */
    final AtomicLong cutUploadAfter = new AtomicLong(Long.MAX_VALUE);

    final AtomicLong cutReadAfter = new AtomicLong(Long.MAX_VALUE);
    /** So many messages are sent with a wrong checksum. */
    final AtomicInteger damagedMessages = new AtomicInteger();

    final AtomicLong writtenBytes = new AtomicLong();
    final AtomicLong readBytes = new AtomicLong();
    /** Who am I is not answered, and the next stream neither. */
    volatile boolean isSilent;

    BindableService[] services() {
        return new BindableService[] {new Registry(), new Artifacts(), new Access()};
    }

    /** Publishes a version of what is in {@code files}. */
    void publish() {
        ModelVersion.Builder made = ModelVersion.newBuilder().setName(VERSION).setNumber(1);
        files.forEach((path, content) -> made.addFiles(file(path, content)).setSizeBytes(made.getSizeBytes() + content.length));
        version = made.setManifestDigest(Manifests.digest(made.getFilesList())).build();
    }

    static File file(String path, byte[] content) {
        return File.newBuilder()
                .setPath(path)
                .setSizeBytes(content.length)
                .setDigest(digest(content))
                .setMediaType(FileKinds.mediaType(path))
                .setRole(FileKinds.role(path))
                .build();
    }

    static String digest(byte[] content) {
        MessageDigest digest = Digests.sha256();
        digest.update(content);
        return Digests.named(digest);
    }

    private static Set<String> digests(ModelVersion version) {
        return version.getFilesList().stream().map(File::getDigest).collect(Collectors.toSet());
    }

    private static <A> void answer(StreamObserver<A> observer, A answer) {
        observer.onNext(answer);
        observer.onCompleted();
    }

    private final class Access extends AccessServiceGrpc.AccessServiceImplBase {
        @Override
        public void whoAmI(WhoAmIRequest request, StreamObserver<WhoAmIResponse> observer) {
            if (!isSilent) {
                answer(observer, WhoAmIResponse.newBuilder().setPrincipal("trainer").build());
            }
        }

        @Override
        public void listNamespaces(ListNamespacesRequest request, StreamObserver<ListNamespacesResponse> observer) {
            answer(observer, ListNamespacesResponse.newBuilder().setRevision(10).build());
        }
    }

    private final class Registry extends RegistryServiceGrpc.RegistryServiceImplBase {
        @Override
        public void createDraft(CreateDraftRequest request, StreamObserver<CreateDraftResponse> observer) {
            String name = draftOfRequest.computeIfAbsent(
                    request.getRequestId(), id -> MODEL + "/drafts/" + (draftOfRequest.size() + 1));
            if (!name.equals(draft.getName())) {
                draft = request.getDraft().toBuilder().setName(name).setState(DraftState.DRAFT_STATE_OPEN).build();
            }
            answer(observer, CreateDraftResponse.newBuilder().setDraft(draft).build());
        }

        @Override
        public void getDraft(GetDraftRequest request, StreamObserver<GetDraftResponse> observer) {
            answer(observer, GetDraftResponse.newBuilder().setDraft(draft).build());
        }

        @Override
        public void sealDraft(SealDraftRequest request, StreamObserver<SealDraftResponse> observer) {
            publish();
            draft = draft.toBuilder().setState(DraftState.DRAFT_STATE_SEALED).setVersion(VERSION).build();
            if (!version.getManifestDigest().equals(request.getManifestDigest())) {
                observer.onError(Status.DATA_LOSS.asRuntimeException());
                return;
            }
            answer(observer, SealDraftResponse.newBuilder().setVersion(version).setRevision(7).build());
        }

        /** Only what is in the version counts as there, as on a server: not what lies in a draft. */
        @Override
        public void createVersion(CreateVersionRequest request, StreamObserver<CreateVersionResponse> observer) {
            ModelVersion wanted = request.getVersion();
            if (!digests(version).containsAll(digests(wanted))) {
                observer.onError(Refusals.refusal(Status.Code.FAILED_PRECONDITION, "FILES_MISSING", "Push them."));
                return;
            }
            String digest = Manifests.digest(wanted.getFilesList());
            if (!request.getManifestDigest().isEmpty() && !request.getManifestDigest().equals(digest)) {
                observer.onError(Refusals.refusal(Status.Code.DATA_LOSS, "DIGEST_MISMATCH", "The files are others."));
                return;
            }
            boolean existed = digest.equals(version.getManifestDigest()) && wanted.getFacts().equals(version.getFacts());
            if (!existed) {
                String name = MODEL + "/versions/" + (version.getNumber() + 1);
                version = wanted.toBuilder()
                        .setName(name)
                        .setNumber(version.getNumber() + 1)
                        .setManifestDigest(digest)
                        .build();
            }
            answer(
                    observer,
                    CreateVersionResponse.newBuilder().setVersion(version).setExisted(existed).setRevision(8).build());
        }

        @Override
        public void getVersion(GetVersionRequest request, StreamObserver<GetVersionResponse> observer) {
            answer(observer, GetVersionResponse.newBuilder().setVersion(version).build());
        }

        @Override
        public void resolveVersion(ResolveVersionRequest request, StreamObserver<ResolveVersionResponse> observer) {
            answer(observer, ResolveVersionResponse.newBuilder().setVersion(version).addWarnings("old").build());
        }

        /** Three versions, one on each page. */
        @Override
        public void listVersions(ListVersionsRequest request, StreamObserver<ListVersionsResponse> observer) {
            int page = request.getPageToken().isEmpty() ? 1 : Integer.parseInt(request.getPageToken());
            answer(
                    observer,
                    ListVersionsResponse.newBuilder()
                            .addVersions(ModelVersion.newBuilder().setNumber(page))
                            .setNextPageToken(page < 3 ? Integer.toString(page + 1) : "")
                            .build());
        }
    }

    private final class Artifacts extends ArtifactServiceGrpc.ArtifactServiceImplBase {
        @Override
        public void beginUpload(BeginUploadRequest request, StreamObserver<BeginUploadResponse> observer) {
            Upload asked = request.getUpload();
            Upload begun = uploads.compute(asked.getName(), (name, before) -> before == null
                    ? asked.toBuilder().setState(UploadState.UPLOAD_STATE_OPEN).setEpoch(1).build()
                    : before.toBuilder().setEpoch(before.getEpoch() + 1).build());
            answer(observer, BeginUploadResponse.newBuilder().setUpload(begun).build());
        }

        @Override
        public void getUpload(GetUploadRequest request, StreamObserver<GetUploadResponse> observer) {
            answer(observer, GetUploadResponse.newBuilder().setUpload(uploads.get(request.getName())).build());
        }

        @Override
        public StreamObserver<WriteUploadRequest> writeUpload(StreamObserver<WriteUploadResponse> observer) {
            return new Writing(observer);
        }

        @Override
        public void commitUpload(CommitUploadRequest request, StreamObserver<CommitUploadResponse> observer) {
            byte[] content = content(request.getName()).toByteArray();
            if (!digest(content).equals(request.getDigest())) {
                observer.onError(Refusals.refusal(Status.Code.DATA_LOSS, "DIGEST_MISMATCH", "The bytes are others."));
                return;
            }
            Upload upload = uploads.computeIfPresent(
                    request.getName(), (name, before) -> before.toBuilder().setState(UploadState.UPLOAD_STATE_COMPLETE).build());
            files.put(upload.getPath(), content);
            answer(observer, CommitUploadResponse.newBuilder().setFile(file(upload.getPath(), content)).build());
        }

        @Override
        public void abortUpload(AbortUploadRequest request, StreamObserver<AbortUploadResponse> observer) {
            uploads.remove(request.getName());
            answer(observer, AbortUploadResponse.getDefaultInstance());
        }

        @Override
        public void readArtifact(ReadArtifactRequest request, StreamObserver<ReadArtifactResponse> observer) {
            ServerCallStreamObserver<ReadArtifactResponse> stream = (ServerCallStreamObserver<ReadArtifactResponse>) observer;
            byte[] content = files.get(request.getPath());
            if (isSilent) {
                isSilent = false;
                return;
            }
            long end = request.getLength() == 0 ? content.length : request.getOffset() + request.getLength();
            if (end > content.length) {
                observer.onError(Refusals.refusal(Status.Code.OUT_OF_RANGE, "RANGE_PAST_END", "The file ends before."));
                return;
            }
            long[] offset = {request.getOffset()};
            // Sends as the client takes, or else the whole file would wait in memory.
            stream.setOnReadyHandler(() -> {
                while (stream.isReady() && offset[0] < end) {
                    int size = (int) Math.min(MESSAGE_BYTES, end - offset[0]);
                    if (cutReadAfter.getAndAdd(-size) < size) {
                        cutReadAfter.set(Long.MAX_VALUE);
                        offset[0] = end;
                        stream.onError(Status.UNAVAILABLE.withDescription("cut").asRuntimeException());
                        return;
                    }
                    stream.onNext(message(content, (int) offset[0], size));
                    readBytes.addAndGet(size);
                    offset[0] += size;
                    if (offset[0] >= end) {
                        stream.onCompleted();
                    }
                }
            });
        }
    }

    private ReadArtifactResponse message(byte[] content, int offset, int size) {
        byte[] data = Arrays.copyOfRange(content, offset, offset + size);
        int checksum = Digests.crc32c(java.nio.ByteBuffer.wrap(data));
        boolean isDamaged = damagedMessages.getAndUpdate(count -> Math.max(0, count - 1)) > 0;
        return ReadArtifactResponse.newBuilder()
                .setOffset(offset)
                .setCrc32C(isDamaged ? ~checksum : checksum)
                .setData(ByteString.copyFrom(data))
                .build();
    }

    private ByteArrayOutputStream content(String upload) {
        return bytes.computeIfAbsent(upload, name -> new ByteArrayOutputStream());
    }

    /** One stream of an upload. */
    private final class Writing implements StreamObserver<WriteUploadRequest> {
        private final StreamObserver<WriteUploadResponse> observer;
        private String name = "";
        private boolean isCut;

        Writing(StreamObserver<WriteUploadResponse> observer) {
            this.observer = observer;
        }

        @Override
        public void onNext(WriteUploadRequest message) {
            if (isSilent) {
                isSilent = false;
                isCut = true;
            }
            if (isCut) {
                return;
            }
            name = message.getUpload().isEmpty() ? name : message.getUpload();
            int size = message.getData().size();
            if (cutUploadAfter.getAndAdd(-size) < size) {
                cutUploadAfter.set(Long.MAX_VALUE);
                isCut = true;
                observer.onError(Status.UNAVAILABLE.withDescription("cut").asRuntimeException());
                return;
            }
            if (message.getOffset() != content(name).size()) {
                isCut = true;
                observer.onError(Refusals.refusal(Status.Code.OUT_OF_RANGE, "UPLOAD_OFFSET_WRONG", "Not the next byte."));
                return;
            }
            content(name).writeBytes(message.getData().toByteArray());
            writtenBytes.addAndGet(size);
            uploads.computeIfPresent(name, (key, before) -> before.toBuilder().setDurableBytes(content(name).size()).build());
        }

        @Override
        public void onError(Throwable gone) {
            isCut = true;
        }

        @Override
        public void onCompleted() {
            if (!isCut) {
                answer(observer, WriteUploadResponse.newBuilder().setUpload(uploads.get(name)).build());
            }
        }
    }
}
