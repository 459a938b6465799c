package stormcell.localstorm;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.apache.storm.StormSubmitter;
import org.apache.storm.generated.KillOptions;
import org.apache.storm.generated.Nimbus;
import org.apache.storm.utils.NimbusClient;
import org.apache.storm.utils.Utils;

/**
 * Talks to Nimbus for a program on its stdin and stdout: {@code {"id": 1, "do": "submit", "topology": {...}}}, or
 * kill, deactivate or activate with a topology's name. The jar is named by the property {@code storm.jar}.
 */
public final class Client {
    private Client() {
    }

    public static void main(String[] args) throws Exception {
        Events.claimStdout();
        Map<String, Object> conf = Utils.readStormConfig();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        try (NimbusClient client = NimbusClient.getConfiguredClient(conf)) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                JsonNode command = Events.JSON.readTree(line);
                Events.send("answer", "id", command.get("id"), "error", failure(client.getClient(), command));
            }
        }
    }

    /** Does what the command says; why that failed, or null. */
    private static String failure(Nimbus.Iface nimbus, JsonNode command) {
        try {
            obey(nimbus, command.path("do").asText(), command.path("topology"));
            return null;
        } catch (Exception e) {
            return e.toString();
        }
    }

    private static void obey(Nimbus.Iface nimbus, String verb, JsonNode topology) throws Exception {
        switch (verb) {
            case "submit": submit(new PlainPlan(topology)); break;
            case "kill": kill(nimbus, topology.asText()); break;
            case "activate": nimbus.activate(topology.asText()); break;
            case "deactivate": nimbus.deactivate(topology.asText()); break;
            default: throw new IllegalArgumentException("unknown command: " + verb);
        }
    }

    private static void submit(Plan plan) throws Exception {
        StormSubmitter.submitTopology(plan.name(), plan.config(), plan.topology());
    }

    private static void kill(Nimbus.Iface nimbus, String name) throws Exception {
        KillOptions now = new KillOptions();
        now.set_wait_secs(0);
        nimbus.killTopologyWithOpts(name, now);
    }
}
