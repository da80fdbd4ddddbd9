package dev.assay.client;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Pulls to a disk that is too small, and says what came of it: {@code fills|stays BYTES DIRECTORY}, see {@link SmallDiskTest}. */
final class SmallDisk {
    private SmallDisk() {}

    public static void main(String[] arguments) throws IOException {
        Path disk = Path.of(arguments[2]);
        Path filler = disk.resolve("filler");
        FakeRegistry registry = new FakeRegistry();
        byte[] weights = new byte[Integer.parseInt(arguments[1])];
        new Random(1).nextBytes(weights);
        registry.files.put("weights.bin", weights);
        registry.publish();
        PullOptions options = PullOptions.create().onProgress(progress -> {
            if (arguments[0].equals("fills") && progress.totalBytes() > 0 && !Files.exists(filler)) {
                fill(filler);
            }
        });
        try (Served served = Served.withTls(registry.services());
                AssayClient client = served.client().build()) {
            client.pull("vision/digits/1", disk.resolve("model"), options);
        } catch (LocalDiskFull failure) {
            System.out.println(failure.getMessage());
        }
        try (Stream<Path> left = Files.list(disk)) {
            List<Path> others = left.filter(path -> !path.equals(filler)).collect(Collectors.toList());
            System.out.println("left: " + others);
        }
    }

    private static void fill(Path filler) {
        try (OutputStream output = Files.newOutputStream(filler)) {
            for (; ; ) {
                output.write(new byte[4096]);
            }
        } catch (IOException full) {
            System.out.println("full now");
        }
    }
}
