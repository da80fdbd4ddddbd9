package dev.assay.client;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Media types and roles of files, from their names, as the clients of all languages guess them: the same files then have
 * the same manifest digest, whoever pushes them.
 */
final class FileKinds {
    private static final Map<String, String> MEDIA_TYPES = Map.ofEntries(
            Map.entry(".csv", "text/csv"),
            Map.entry(".html", "text/html"),
            Map.entry(".json", "application/json"),
            Map.entry(".md", "text/markdown"),
            Map.entry(".onnx", "application/onnx"),
            Map.entry(".png", "image/png"),
            Map.entry(".svg", "image/svg+xml"),
            Map.entry(".toml", "application/toml"),
            Map.entry(".txt", "text/plain"),
            Map.entry(".yaml", "application/yaml"),
            Map.entry(".yml", "application/yaml"));
    private static final Set<String> WEIGHTS = Set.of(
            ".bin", ".bst", ".gguf", ".h5", ".joblib", ".keras", ".onnx", ".pkl", ".pickle", ".pt", ".pth", ".safetensors",
            ".skops", ".ubj");
    private static final List<String> TOKENIZERS = List.of("tokenizer", "vocab", "merges", "special_tokens");
    private static final Set<String> CONFIGS = Set.of("config.json", "generation_config.json");

    private FileKinds() {}

    static String mediaType(String path) {
        return MEDIA_TYPES.getOrDefault(suffix(name(path)), Manifests.MEDIA_TYPE_DEFAULT);
    }

    static String role(String path) {
        String name = name(path);
        if (WEIGHTS.contains(suffix(name))) {
            return "weights";
        }
        if (TOKENIZERS.stream().anyMatch(name::startsWith)) {
            return "tokenizer";
        }
        return CONFIGS.contains(name) ? "config" : "";
    }

    private static String name(String path) {
        return path.substring(path.lastIndexOf('/') + 1).toLowerCase(Locale.ROOT);
    }

    private static String suffix(String name) {
        int point = name.lastIndexOf('.');
        return point < 0 ? "" : name.substring(point);
    }
}
