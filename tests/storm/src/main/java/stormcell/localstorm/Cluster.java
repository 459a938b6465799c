package stormcell.localstorm;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.storm.LocalCluster;
import org.apache.storm.generated.ErrorInfo;
import org.apache.storm.generated.ExecutorSummary;
import org.apache.storm.generated.TopologyInfo;

/** Storm in this JVM, and the commands that it obeys. */
final class Cluster implements AutoCloseable {
    private static final int SLOTS = 64;   // a killed topology holds its slot for a second or two
    private final LocalCluster storm;

    Cluster() throws Exception {
        storm = new LocalCluster.Builder()
                .withSupervisors(1)
                .withPortsPerSupervisor(SLOTS)
                .withDaemonConf(daemons())
                .build();
    }

    private static Map<String, Object> daemons() {
        Map<String, Object> conf = new HashMap<>();
        conf.put("storm.local.hostname", "localhost");
        conf.put("supervisor.monitor.frequency.secs", 1);
        conf.put("supervisor.worker.shutdown.sleep.secs", 0);   // in one JVM there is no worker process to wait for
        conf.put("topology.enable.message.timeouts", true);     // LocalCluster turns them off
        conf.put("storm.metricstore.class", "none");   // RocksDB, which Storm's own needs, is not fetched
        return conf;
    }

    /** Does what the command says and gives the answer's value, or throws why not. */
    Object obey(JsonNode command) throws Exception {
        JsonNode topology = command.path("topology");
        switch (command.path("do").asText()) {
            case "submit": return submit(new Plan(topology));
            case "kill": return kill(topology.asText());
            case "errors": return errors(topology.asText());
            case "stats": return stats(topology.asText());
            default: throw new IllegalArgumentException("unknown command: " + command);
        }
    }

    private Object submit(Plan plan) throws Exception {
        storm.submitTopology(plan.name(), plan.config(), plan.topology());
        return plan.name();
    }

    private Object kill(String name) throws Exception {
        storm.killTopologyWithOpts(name, LocalCluster.KILL_NOW);
        return name;
    }

    /** What Storm keeps of the topology's reported errors, as its UI would show them. */
    private List<Object> errors(String name) throws Exception {
        List<Object> all = new ArrayList<>();
        storm.getTopologyInfoByName(name).get_errors().forEach((component, errors) -> {
            for (ErrorInfo error : errors) {
                all.add(Map.of(
                        "component", component, "text", error.get_error(), "seconds", error.get_error_time_secs()));
            }
        });
        return all;
    }

    /** Emitted tuples by component and stream, as the executors last told Nimbus. */
    private Object stats(String name) throws Exception {
        TopologyInfo info = storm.getTopologyInfoByName(name);
        Map<String, Map<String, Long>> emitted = new HashMap<>();
        for (ExecutorSummary executor : info.get_executors()) {
            if (executor.is_set_stats()) {
                String component = executor.get_component_id();
                Map<String, Long> sums = emitted.computeIfAbsent(component, none -> new HashMap<>());
                executor.get_stats().get_emitted().getOrDefault(":all-time", Map.of())
                        .forEach((stream, count) -> sums.merge(stream, count, Long::sum));
            }
        }
        return Map.of("status", info.get_status(), "uptime", info.get_uptime_secs(), "emitted", emitted);
    }

    @Override
    public void close() throws Exception {
        storm.close();
    }
}
