import dev.assay.client.AssayClient;
import dev.assay.client.AssayException;
import dev.assay.client.GateClosed;
import dev.assay.client.Metrics;
import dev.assay.client.Pulled;
import dev.assay.client.PushOptions;
import dev.assay.client.Pushed;
import dev.assay.client.PublishOptions;
import dev.assay.client.Tls;
import dev.assay.client.Violation;
import dev.assay.v1.Bump;
import dev.assay.v1.DatasetReference;
import dev.assay.v1.Evaluation;
import dev.assay.v1.Model;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The life of a model version: pushed, measured, published, named, pulled.
 *
 * <pre>
 * mvn -q compile exec:java -Dexec.args="localhost:8443 .assay/dev/pki main/digits"
 * </pre>
 */
public final class Quickstart {
    private Quickstart() {}

    /**
     * Runs it.
     *
     * @param arguments the address of a server, the directory of its certificates, and a model
     * @throws IOException if the model cannot be written to this machine
     */
    public static void main(String[] arguments) throws IOException {
        if (arguments.length != 3) {
            System.err.println("Give the address of a server, the directory of its certificates, and a model: "
                    + "localhost:8443 .assay/dev/pki main/digits");
            System.exit(2);
        }
        Path pki = Path.of(arguments[1]);
        Tls tls = Tls.fromFiles(pki.resolve("ca.pem"), pki.resolve("admin.pem"), pki.resolve("admin.key"));
        try (AssayClient client = AssayClient.builder(arguments[0]).tls(tls).build()) {
            System.out.println("I am " + client.whoAmI().getPrincipal());
            live(client, arguments[2]);
        } catch (GateClosed closed) {
            closed.findings().forEach((Violation rule) -> System.err.println(rule));
            System.exit(1);
        } catch (AssayException failure) {
            System.err.println(failure.getMessage());
            System.exit(1);
        }
    }

    private static void live(AssayClient client, String model) throws IOException {
        Path work = Files.createTempDirectory("quickstart-");
        Path trained = Files.createDirectory(work.resolve("model"));
        Files.writeString(trained.resolve("model.onnx"), "what a trainer made, at " + System.nanoTime());

        Pushed pushed = client.push(model, trained, PushOptions.create()
                .newModel(Model.newBuilder().setTask("image-classification").build())
                .description("A first try"));
        System.out.println("pushed " + pushed.reference());

        client.evaluate(pushed.reference(), Evaluation.newBuilder()
                .setDataset(DatasetReference.newBuilder()
                        .setUri("dvc://digits/test")
                        .setDigest("sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"))
                .setSampleCount(360)
                .addMetrics(Metrics.higherIsBetter("accuracy", 0.97, "ratio"))
                .build());
        String semver = client.publish(pushed.reference(), PublishOptions.create().bump(Bump.BUMP_PATCH))
                .getVersion()
                .getSemver();
        System.out.println("published as " + semver);

        Pulled pulled = client.pull(model + "@latest", work.resolve("served"));
        System.out.println("pulled " + pulled);
    }
}
