package dev.assay.client;

import com.google.protobuf.UnsafeByteOperations;
import dev.assay.v1.AbortUploadRequest;
import dev.assay.v1.ArtifactServiceGrpc;
import dev.assay.v1.BeginUploadRequest;
import dev.assay.v1.CommitUploadRequest;
import dev.assay.v1.ErrorReason;
import dev.assay.v1.File;
import dev.assay.v1.GetUploadRequest;
import dev.assay.v1.UploadState;
import dev.assay.v1.WriteUploadRequest;
import io.grpc.Channel;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;

/**
 * One file on its way into a draft: begin, write, commit. After a break it begins again and goes on from what is durable;
 * nothing is ever sent again blindly.
 */
final class Upload {
    /** A stream ends after so much and a new one goes on, so that servers can shed old connections. */
    private static final long STREAM_BYTES_MAX = 1L << 30;

    /** A server may have to read a file again to hash it. */
    private static final long COMMIT_BYTES_PER_S = 200L << 20;

    /** A server tells every second how much is durable, if bytes arrive. */
    private static final long STANDS_STILL_NANOS = Duration.ofSeconds(2).toNanos();

    private static final long LOOK_MS = 200;

    private final Connection connection;
    private final Channel carrier;
    private final String draft;
    private final LocalFile file;
    private final File described;
    private final Meter meter;
    private final AtomicLong sentBytes;
    private String name;
    private boolean isRenamed;
    /** How somebody else was heard of who fills the upload. */
    private AssayException fence;
    private long durableBytes;

    Upload(Connection connection, Channel carrier, String draft, LocalFile file, Meter meter, AtomicLong sentBytes) {
        this.connection = connection;
        this.carrier = carrier;
        this.draft = draft;
        this.file = file;
        this.meter = meter;
        this.sentBytes = sentBytes;
        described = file.described();
        // Always the same for the same content at the same place: so another process can resume it, also one in another
        // language.
        name = draft + "/uploads/" + Ids.derived(draft + "/" + file.path + "/" + described.getDigest());
    }

    void run() {
        try (FileChannel handle = file.open()) {
            Patience patience = new Patience(connection.patience);
            while (!attempted(handle, patience)) {
                Cancellation.check();
            }
        } catch (IOException error) {
            throw LocalFailures.of("read", file.source, error);
        }
    }

    /** Does what is left of the upload; false, after a pause, where it broke and may go on. */
    private boolean attempted(FileChannel handle, Patience patience) throws IOException {
        long before = durableBytes;
        try {
            attempt(handle, fence == null ? begin() : whatOthersLeave(patience));
            return true;
        } catch (AssayException failure) {
            boolean isFenced = failure.hasReason(ErrorReason.ERROR_REASON_UPLOAD_FENCED);
            fence = isFenced ? failure : fence;
            if (!isFenced && !connection.isWorthContinuing(failure)) {
                throw explained(failure);
            }
            if (durableBytes > before) {
                patience.renew();
            }
            if (!patience.pause(failure.retryAfter())) {
                throw interrupted(failure);
            }
            return false;
        }
    }

    private void attempt(FileChannel handle, dev.assay.v1.Upload begun) throws IOException {
        fence = null;
        if (begun.getState() == UploadState.UPLOAD_STATE_COMPLETE) {
            return;
        }
        long offset = begun.getDurableBytes();
        durableBytes = Math.max(durableBytes, offset);
        while (offset < described.getSizeBytes()) {
            long end = Math.min(offset + STREAM_BYTES_MAX, described.getSizeBytes());
            offset = write(begun, handle, offset, end);
            durableBytes = Math.max(durableBytes, offset);
        }
        commit();
    }

    /**
     * Looks on while somebody else, who pushes the same, fills the upload. Once it is complete, or all of it is durable,
     * whoever is there may go on with the next step; it is taken over only if it has stood still for a while.
     */
    private dev.assay.v1.Upload whatOthersLeave(Patience patience) {
        // Of two who look on, one shall be first.
        long stillNanos = ThreadLocalRandom.current().nextLong(STANDS_STILL_NANOS, 2 * STANDS_STILL_NANOS);
        dev.assay.v1.Upload seen = look();
        long movedNanos = System.nanoTime();
        while (seen.getState() == UploadState.UPLOAD_STATE_OPEN && seen.getDurableBytes() < described.getSizeBytes()) {
            if (System.nanoTime() - movedNanos > stillNanos) {
                return begin();
            }
            if (!patience.await(Duration.ofMillis(ThreadLocalRandom.current().nextLong(LOOK_MS, 2 * LOOK_MS)))) {
                throw interrupted(fence);
            }
            dev.assay.v1.Upload now = look();
            if (now.getDurableBytes() > seen.getDurableBytes()) {
                patience.renew();
            }
            if (now.getDurableBytes() != seen.getDurableBytes() || now.getEpoch() != seen.getEpoch()) {
                movedNanos = System.nanoTime();
            }
            seen = now;
        }
        return seen.getState() == UploadState.UPLOAD_STATE_ABORTED ? begin() : seen;
    }

    private dev.assay.v1.Upload look() {
        GetUploadRequest request = GetUploadRequest.newBuilder().setName(name).build();
        dev.assay.v1.Upload seen =
                connection.call(ArtifactServiceGrpc.getGetUploadMethod(), request).getUpload();
        meter.set(file.path, seen.getDurableBytes(), described.getSizeBytes());
        return seen;
    }

    private dev.assay.v1.Upload begin() {
        BeginUploadRequest request = BeginUploadRequest.newBuilder()
                .setUpload(dev.assay.v1.Upload.newBuilder()
                        .setName(name)
                        .setPath(described.getPath())
                        .setSizeBytes(described.getSizeBytes())
                        .setDigest(described.getDigest())
                        .setMediaType(described.getMediaType())
                        .setRole(described.getRole()))
                .build();
        try {
            return connection.call(ArtifactServiceGrpc.getBeginUploadMethod(), request).getUpload();
        } catch (NotPossibleNow refusal) {
            if (isRenamed || !refusal.hasReason(ErrorReason.ERROR_REASON_UPLOAD_NOT_OPEN)) {
                throw refusal;
            }
            // It was given up before, or another content took its path meanwhile: nothing is there to resume.
            name = draft + "/uploads/" + Ids.random();
            isRenamed = true;
            return begin();
        }
    }

    /** Sends one stream, and says how far the file is durable then. */
    private long write(dev.assay.v1.Upload begun, FileChannel handle, long start, long end) throws IOException {
        try (WriteStream stream = new WriteStream(connection, carrier, file.path)) {
            WriteUploadRequest.Builder message =
                    WriteUploadRequest.newBuilder().setUpload(name).setEpoch(begun.getEpoch());
            for (long offset = start; offset < end && stream.awaitReady(); ) {
                byte[] data = read(handle, offset, end);
                message.setOffset(offset).setData(UnsafeByteOperations.unsafeWrap(data));
                message.setCrc32C(Digests.crc32c(ByteBuffer.wrap(data)));
                stream.send(message.build());
                message.clear();
                offset += data.length;
                sentBytes.addAndGet(data.length);
                meter.set(file.path, offset, described.getSizeBytes());
            }
            // What the server has to make durable takes its time.
            return stream.finish(Duration.ofSeconds((end - start) / COMMIT_BYTES_PER_S));
        }
    }

    /** A block of its own for each message: gRPC may still be reading the one before. */
    private byte[] read(FileChannel handle, long offset, long end) throws IOException {
        ByteBuffer block = ByteBuffer.allocate((int) Math.min(Digests.BLOCK_BYTES, end - offset));
        while (block.hasRemaining()) {
            if (handle.read(block, offset + block.position()) < 0) {
                throw new ContentMismatch(Failure.of("%s became shorter while it was being pushed. Push it again when nothing "
                        + "writes to it.", file.source).because(new EOFException()));
            }
        }
        return block.array();
    }

    private void commit() {
        CommitUploadRequest request = CommitUploadRequest.newBuilder()
                .setName(name)
                .setDigest(described.getDigest())
                .setSizeBytes(described.getSizeBytes())
                .build();
        Duration extra = Duration.ofSeconds(described.getSizeBytes() / COMMIT_BYTES_PER_S);
        connection.call(ArtifactServiceGrpc.getCommitUploadMethod(), request, extra);
    }

    /** Finds files that changed between hashing and sending: the server received other bytes than were promised. */
    private AssayException explained(AssayException failure) {
        if (!failure.hasReason(ErrorReason.ERROR_REASON_DIGEST_MISMATCH)) {
            return failure;
        }
        ContentMismatch mismatch = new ContentMismatch(Failure.of("%s has changed while it was being pushed: what arrived is "
                + "not what was hashed. Push it again when nothing writes to it.", file.source).because(failure));
        try {
            // What arrived is of no use; without this the next push of the same content would stumble over it.
            connection.call(
                    ArtifactServiceGrpc.getAbortUploadMethod(),
                    AbortUploadRequest.newBuilder().setName(name).build());
        } catch (AssayException besides) {
            mismatch.addSuppressed(besides);
        }
        return mismatch;
    }

    private TransferInterrupted interrupted(AssayException failure) {
        return new TransferInterrupted(Failure.of("%s stands at %d of %d bytes and nothing moved for %d s: %s Nothing is lost: "
                        + "push again to go on from there.", file.path, durableBytes, described.getSizeBytes(),
                        connection.patience.toSeconds(), failure.getMessage())
                .with("draft", draft)
                .because(failure));
    }
}
