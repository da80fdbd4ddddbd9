package dev.assay.client;

import com.google.protobuf.ByteString;
import dev.assay.v1.AccessServiceGrpc;
import dev.assay.v1.ErrorReason;
import dev.assay.v1.ReadArtifactRequest;
import dev.assay.v1.WhoAmIRequest;
import java.io.ByteArrayOutputStream;

/** Part of a file on its way into memory, which goes on after breaks from what is there. */
final class RangeRead {
    private final Connection connection;
    private final ReadArtifactRequest request;
    private final ByteArrayOutputStream content = new ByteArrayOutputStream();
    private boolean isServerThere;

    RangeRead(Connection connection, ReadArtifactRequest request) {
        this.connection = connection;
        this.request = request;
    }

    byte[] run() {
        Patience patience = new Patience(connection.patience);
        while (!attempted(patience)) {
            Cancellation.check();
        }
        return content.toByteArray();
    }

    /** Reads what is missing; false, after a pause, where it broke and may go on. */
    private boolean attempted(Patience patience) {
        int before = content.size();
        try {
            stream();
            return true;
        } catch (AssayException failure) {
            boolean hasAll = isBounded() && missing() == 0;
            // Of a file whose size is not known the last byte may have come just before the break.
            boolean wasAtEnd = !isBounded() && before > 0 && failure.hasReason(ErrorReason.ERROR_REASON_RANGE_PAST_END);
            if (hasAll || wasAtEnd) {
                return true;
            }
            boolean isWorthContinuing = failure instanceof ReadStream.Damaged || connection.isWorthContinuing(failure);
            if (!isWorthContinuing) {
                throw failure;
            }
            requireServer();
            if (content.size() > before) {
                patience.renew();
            }
            if (!patience.pause(failure.retryAfter())) {
                throw interrupted(failure);
            }
            return false;
        }
    }

    /** A wrong address is told at once, as by a pull, which resolves first; patience is for who was there. */
    private void requireServer() {
        if (!isServerThere && content.size() == 0) {
            connection.call(AccessServiceGrpc.getWhoAmIMethod(), WhoAmIRequest.getDefaultInstance());
        }
        isServerThere = true;
    }

    private void stream() {
        ReadArtifactRequest rest = request.toBuilder()
                .setOffset(request.getOffset() + content.size())
                .setLength(isBounded() ? missing() : request.getLength())
                .build();
        new ReadStream(connection, connection.carrier(0), rest).receive(this::take);
        if (isBounded() && missing() > 0) {
            throw mismatch();
        }
    }

    private void take(ByteString data) {
        if (isBounded() && data.size() > missing()) {
            throw mismatch();
        }
        content.writeBytes(data.toByteArray());
    }

    private boolean isBounded() {
        return request.getLength() > 0;
    }

    private long missing() {
        return request.getLength() - content.size();
    }

    private ContentMismatch mismatch() {
        return new ContentMismatch(Failure.of("The server sent another number of bytes of %s than the %d that were asked.",
                request.getPath(), request.getLength()));
    }

    private TransferInterrupted interrupted(AssayException failure) {
        return new TransferInterrupted(Failure.of("%s of %s stopped arriving and nothing moved for %d s: %s Read it again.",
                        request.getPath(), Names.shortName(request.getName()), connection.patience.toSeconds(),
                        failure.getMessage())
                .because(failure));
    }
}
