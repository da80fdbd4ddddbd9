package dev.assay.client;

import com.google.protobuf.ByteString;
import dev.assay.v1.ErrorReason;
import dev.assay.v1.File;
import dev.assay.v1.ModelVersion;
import dev.assay.v1.ReadArtifactRequest;
import io.grpc.Context;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;

/** One pull under way: fetch beside the target, verify, and only then give it its name. */
final class Pull {
    private static final int NAME_DIGITS = 16;

    private final Connection connection;
    private final ModelVersion version;
    private final List<File> files;
    private final int atOnce;
    private final Destination destination;
    private final Meter meter;
    /** All files share the number of streams. */
    private final Semaphore streams;

    private final AtomicInteger carriers = new AtomicInteger();

    /** The files of {@code version}, which were checked against its manifest digest. */
    Pull(Connection connection, ModelVersion version, Path target, PullOptions options) {
        this.connection = connection;
        this.version = version;
        atOnce = options.rangesAtOnce;
        files = version.getFilesList().stream()
                .sorted(Comparator.comparing(File::getPath))
                .collect(Collectors.toList());
        destination = new Destination(connection, target, version, files, atOnce);
        meter = new Meter(Step.RECEIVING, options.onProgress, version.getSizeBytes());
        streams = new Semaphore(atOnce);
    }

    /** Brings the files; true if they were all there already. */
    boolean run() {
        if (destination.holdsEverything()) {
            return true;
        }
        String content = version.getManifestDigest().substring(Digests.PREFIX.length());
        String name = content.substring(0, NAME_DIGITS);
        try (Nursery nursery = new Nursery(destination.target, name, connection.pieceBytes)) {
            try {
                nursery.removeOthers();
                requireSpace(nursery);
                Parallel.each(connection.executor, atOnce, files, (number, file) -> receive(nursery, number, file));
                boolean existed = destination.put(nursery.files());
                nursery.remove();
                return existed;
            } catch (RuntimeException | Error failure) {
                // What is left has no worth then, or stands in the way of making room.
                boolean isHopeless = failure instanceof ContentMismatch || failure instanceof LocalDiskFull;
                if (isHopeless || !nursery.isWorthKeeping()) {
                    nursery.removeAfter(failure);
                }
                throw failure;
            }
        }
    }

    /** A full disk shows before the transfer, and not in its middle, where that can be told. */
    private void requireSpace(Nursery nursery) {
        long missing = 0;
        for (int number = 0; number < files.size(); number++) {
            missing += files.get(number).getSizeBytes() - Part.presentBytes(nursery, number, files.get(number));
        }
        try {
            long usable = Files.getFileStore(nursery.files()).getUsableSpace();
            if (missing > usable) {
                throw LocalFailures.full(
                        destination.target, missing + " bytes are missing, and the disk has " + usable + " left", null);
            }
        } catch (IOException error) {
            throw LocalFailures.of("ask for the space at", nursery.files(), error);
        }
    }

    /**
     * Brings one file. What an earlier pull left is used once; if the digest is wrong then, all of the file is fetched anew.
     */
    private void receive(Nursery nursery, int number, File file) {
        try (Part part = new Part(nursery, number, file)) {
            long present = part.presentBytes();
            meter.set(file.getPath(), present, file.getSizeBytes());
            boolean isWhole = fill(part);
            if (!isWhole && present > 0) {
                meter.set(file.getPath(), 0, file.getSizeBytes());
                part.forget();
                isWhole = fill(part);
            }
            if (!isWhole) {
                throw mismatch("%s of %s arrived with another digest than %s. Nothing was kept.", file.getPath(),
                        Names.shortName(version.getName()), file.getDigest());
            }
            part.finish();
        }
    }

    /** Fetches the pieces that are not there, and says whether the whole has its digest. */
    private boolean fill(Part part) {
        List<CountDownLatch> latches = part.latches();
        List<Integer> missing = part.missing();
        if (missing.size() <= 1) {
            missing.forEach(piece -> fetch(part, piece, latches.get(piece)));
            return part.isWhole(latches);
        }
        Context.CancellableContext scope = Context.current().withCancellation();
        CompletableFuture<Boolean> follower = follow(scope, part, latches);
        try {
            Parallel.each(connection.executor, atOnce, missing, (number, piece) -> fetch(part, piece, latches.get(piece)));
        } catch (RuntimeException | Error failure) {
            scope.cancel(failure);
            // The file is closed next, and must be at rest then.
            follower.handle((isWhole, problem) -> null).join();
            throw failure;
        }
        try {
            return follower.join();
        } catch (CompletionException problem) {
            Parallel.rethrow(problem.getCause());
            throw problem;
        } finally {
            scope.cancel(null);
        }
    }

    private CompletableFuture<Boolean> follow(Context scope, Part part, List<CountDownLatch> latches) {
        try {
            return CompletableFuture.supplyAsync(() -> isWholeWithin(scope, part, latches), connection.executor);
        } catch (RejectedExecutionException closed) {
            throw Cancellation.exception(closed);
        }
    }

    private static boolean isWholeWithin(Context scope, Part part, List<CountDownLatch> latches) {
        Context before = scope.attach();
        try {
            return part.isWhole(latches);
        } finally {
            scope.detach(before);
        }
    }

    /** Brings one piece to its place, when its turn has come. */
    private void fetch(Part part, int piece, CountDownLatch latch) {
        try {
            streams.acquire();
        } catch (InterruptedException cause) {
            throw Cancellation.interrupted(cause);
        }
        try {
            Cancellation.check();
            new Fetch(part, piece).run();
        } finally {
            streams.release();
        }
        part.markDone(piece);
        latch.countDown();
    }

    private static ContentMismatch mismatch(String format, Object... values) {
        return new ContentMismatch(Failure.of(format, values));
    }

    /** One piece on its way, which goes on after breaks from what is written. */
    private final class Fetch {
        private final Part part;
        private final File file;
        private final long end;
        private long offset;

        Fetch(Part part, int piece) {
            this.part = part;
            file = part.file;
            offset = part.start(piece);
            end = part.end(piece);
        }

        void run() {
            Patience patience = new Patience(connection.patience);
            while (offset < end) {
                long before = offset;
                try {
                    stream();
                    if (offset == before) {
                        throw less();
                    }
                } catch (AssayException failure) {
                    if (failure.hasReason(ErrorReason.ERROR_REASON_RANGE_PAST_END)) {
                        throw less();
                    }
                    boolean isWorthContinuing =
                            failure instanceof ReadStream.Damaged || connection.isWorthContinuing(failure);
                    if (!isWorthContinuing) {
                        throw failure;
                    }
                    if (offset > before) {
                        patience.renew();
                    }
                    if (!patience.pause(failure.retryAfter())) {
                        throw interrupted(failure);
                    }
                }
            }
        }

        private void stream() {
            ReadArtifactRequest request = ReadArtifactRequest.newBuilder()
                    .setName(version.getName())
                    .setPath(file.getPath())
                    .setOffset(offset)
                    .setLength(end - offset)
                    .setIfDigest(file.getDigest())
                    .build();
            new ReadStream(connection, connection.carrier(carriers.getAndIncrement()), request).receive(this::take);
        }

        private void take(ByteString data) {
            if (offset + data.size() > end) {
                throw mismatch("The server sent more of %s than was asked.", file.getPath());
            }
            part.write(data.asReadOnlyByteBufferList(), offset);
            offset += data.size();
            meter.add(file.getPath(), data.size(), file.getSizeBytes());
        }

        private ContentMismatch less() {
            return mismatch("The server holds less of %s than its %d bytes.", file.getPath(), file.getSizeBytes());
        }

        private TransferInterrupted interrupted(AssayException failure) {
            return new TransferInterrupted(Failure.of("%s of %s stopped arriving and nothing moved for %d s: %s Pull again to "
                            + "go on from there.", file.getPath(), Names.shortName(version.getName()),
                            connection.patience.toSeconds(), failure.getMessage())
                    .because(failure));
        }
    }
}
