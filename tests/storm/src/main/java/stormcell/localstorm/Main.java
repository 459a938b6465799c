package stormcell.localstorm;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import org.apache.storm.utils.VersionInfo;

/**
 * Serves many topologies from one LocalCluster.
 *
 * <p>Commands come in on stdin, a JSON object a line: {@code {"id": 7, "do": "kill", "topology": "words"}}. Each is
 * answered by one {@code answer} event with that id, holding {@code value} or {@code error}. The other events come
 * when they happen. The end of stdin is as good as the command {@code stop}: nothing outlives whoever started this.
 */
public final class Main {
    private Main() {
    }

    public static void main(String[] args) throws Exception {
        Events.claimStdout();
        try (Cluster cluster = new Cluster()) {
            Events.send("ready", "storm", VersionInfo.getVersion());
            serve(cluster);
        }
        Events.send("stopped");
        Runtime.getRuntime().halt(0);   // some of Storm's threads are no daemons and would stay
    }

    private static void serve(Cluster cluster) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            JsonNode command = Events.JSON.readTree(line);
            if (command.path("do").asText().equals("stop")) {
                return;
            }
            answer(cluster, command);
        }
    }

    private static void answer(Cluster cluster, JsonNode command) {
        try {
            Events.send("answer", "id", command.get("id"), "value", cluster.obey(command));
        } catch (Exception e) {
            Events.send("answer", "id", command.get("id"), "error", e.toString());
        }
    }
}
