package dev.assay.client;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Callable;

/**
 * Does the rows of a table one after the other. What it is told and says is described in {@code
 * tests/clients/scenario/running.py}.
 */
public final class ScenarioRunner {
    private static final BufferedReader TOLD =
            new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));

    private ScenarioRunner() {}

    public static void main(String[] arguments) throws IOException {
        try (Scenario scenario = new Scenario()) {
            Map<String, Callable<Scenario.Seen>> steps = scenario.steps();
            for (String line : Files.readAllLines(Path.of(arguments[0]))) {
                String row = line.startsWith("| ") ? line.split("\\|")[1].trim() : "";
                if (!row.isEmpty() && !row.equals("Step")) {
                    meet(row);
                    say(row, seen(steps.remove(row)));
                }
            }
            steps.keySet().forEach(left -> say(left, new Scenario.Seen("failed", "", "there is no such row")));
        }
    }

    private static Scenario.Seen seen(Callable<Scenario.Seen> step) {
        if (step == null) {
            return new Scenario.Seen("failed", "", "there is no such step");
        }
        try {
            return step.call();
        } catch (Exception error) {
            return new Scenario.Seen("failed", "", error.toString());
        }
    }

    /** Says where this program is, and waits until it may go on. */
    static void meet(String where) throws IOException {
        System.out.println("at " + where);
        if (!"go".equals(TOLD.readLine())) {
            System.exit(1);
        }
    }

    private static void say(String row, Scenario.Seen saw) {
        System.out.println(String.join(" ", "saw", row, saw.status, saw.reason, saw.shows));
    }
}
