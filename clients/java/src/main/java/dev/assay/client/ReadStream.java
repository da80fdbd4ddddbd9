package dev.assay.client;

import com.google.protobuf.ByteString;
import dev.assay.v1.ArtifactServiceGrpc;
import dev.assay.v1.ReadArtifactRequest;
import dev.assay.v1.ReadArtifactResponse;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import java.util.Iterator;
import java.util.function.Consumer;

/** One stream of bytes of a file, in order and checked. */
final class ReadStream {
    private final Connection connection;
    private final Channel channel;
    private final ReadArtifactRequest request;

    ReadStream(Connection connection, Channel channel, ReadArtifactRequest request) {
        this.connection = connection;
        this.channel = channel;
        this.request = request;
    }

    /** Hands on what arrives, until the stream ends. The next message is fetched when the one before is dealt with. */
    void receive(Consumer<ByteString> take) {
        try (Alarm alarm = new Alarm(connection.timer, connection.silence)) {
            try {
                Iterator<ReadArtifactResponse> messages = alarm.guard(() -> ClientCalls.blockingServerStreamingCall(
                        channel, ArtifactServiceGrpc.getReadArtifactMethod(), CallOptions.DEFAULT, request));
                long offset = request.getOffset();
                while (messages.hasNext()) {
                    ReadArtifactResponse message = messages.next();
                    offset += checked(message, offset);
                    take.accept(message.getData());
                    alarm.renew();
                }
            } catch (StatusRuntimeException error) {
                throw alarm.hasRung() ? silent(error) : connection.explain(error, alarm.scope(), true);
            }
        }
    }

    /** The length of a message that is what it should be. */
    private int checked(ReadArtifactResponse message, long offset) {
        ByteString data = message.getData();
        boolean isInPlace = message.getOffset() == offset
                && message.getCrc32C() == Digests.crc32c(data.asReadOnlyByteBuffer());
        if (!data.isEmpty() && !isInPlace) {
            throw new Damaged(request.getPath());
        }
        return data.size();
    }

    private Unreachable silent(StatusRuntimeException error) {
        return new Unreachable(Failure.of("%s sent nothing of %s for %d s.", connection.target, request.getPath(),
                        connection.silence.toSeconds())
                .code(Status.Code.UNAVAILABLE)
                .because(error));
    }

    /** A message that arrived other than it was sent, which is worth asking for again. */
    static final class Damaged extends AssayException {
        private static final long serialVersionUID = 1L;

        Damaged(String path) {
            super(Failure.of("A message of %s arrived damaged.", path));
        }
    }
}
