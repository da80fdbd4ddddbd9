package dev.assay.client;

import java.text.Normalizer;
import java.util.Collection;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * The grammar of the paths of a version: names that no machine can misread. It repeats what the server does, because a
 * path that comes from a server is not trusted either.
 */
final class FilePaths {
    private static final int BYTES_MAX = 1024;
    private static final int DEPTH_MAX = 16;
    private static final Pattern COMPONENT = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._-]{0,127}");

    /** Names that Windows opens as devices, in every folder and with every extension. */
    private static final Pattern DEVICE =
            Pattern.compile("(?:con|prn|aux|nul|(?:com|lpt)[0-9])", Pattern.CASE_INSENSITIVE);

    private FilePaths() {}

    /** What forbids a path; empty when nothing does. */
    static String problem(String path) {
        if (path.length() > BYTES_MAX) {
            return "it has more than " + BYTES_MAX + " bytes";
        }
        String[] components = path.split("/", -1);
        if (components.length > DEPTH_MAX) {
            return "it is more than " + DEPTH_MAX + " components deep";
        }
        for (String component : components) {
            String problem = problemOfComponent(component);
            if (!problem.isEmpty()) {
                return problem;
            }
        }
        return "";
    }

    /** What forbids paths to stand side by side on every machine; empty when nothing does. */
    static String collision(Collection<String> paths) {
        Map<String, String> seen = new HashMap<>();
        for (String path : paths) {
            String other = seen.putIfAbsent(folded(path), path);
            if (other != null) {
                return path + " and " + other + " differ by upper and lower case at most";
            }
        }
        for (Map.Entry<String, String> entry : seen.entrySet()) {
            for (int end = entry.getKey().lastIndexOf('/'); end > 0; end = entry.getKey().lastIndexOf('/', end - 1)) {
                String file = seen.get(entry.getKey().substring(0, end));
                if (file != null) {
                    return file + " is a file and also a folder of " + entry.getValue();
                }
            }
        }
        return "";
    }

    private static String problemOfComponent(String component) {
        if (component.isEmpty() || component.equals(".") || component.equals("..")) {
            return "it must be relative, without empty components, . or ..";
        }
        if (component.startsWith(".")) {
            return component + " is hidden";
        }
        if (!COMPONENT.matcher(component).matches()) {
            return "\"" + component + "\" is not made of letters, digits, points, _ and -, beginning with a letter, digit or "
                    + "_, 128 at most";
        }
        if (component.endsWith(".")) {
            return component + " ends in a point, which Windows drops";
        }
        return DEVICE.matcher(component.split("\\.", 2)[0]).matches() ? component + " is a device on Windows" : "";
    }

    /** One form for all spellings that some file system takes for the same; the grammar allows ASCII only. */
    private static String folded(String path) {
        return Normalizer.normalize(path, Normalizer.Form.NFC).toLowerCase(Locale.ROOT);
    }
}
