package stormcell.localstorm;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.storm.generated.StormTopology;
import org.apache.storm.topology.BoltDeclarer;
import org.apache.storm.topology.ComponentConfigurationDeclarer;
import org.apache.storm.topology.IRichBolt;
import org.apache.storm.topology.IRichSpout;
import org.apache.storm.topology.TopologyBuilder;
import org.apache.storm.tuple.Fields;

/**
 * A topology as JSON, turned into Storm's.
 *
 * <pre>
 * {"name": "words", "config": {"topology.acker.executors": 1}, "env": {"NAME": "value"},
 *  "resources": "/absolute/folder",
 *  "components": [
 *    {"name": "count", "kind": "bolt",                bolt or spout
 *     "command": ["stormcell-shim", "words.Count"],   a multilang child, started in the folder "resources", or
 *     "java": "ProbeBolt", "args": {},                a class of this package (or a full name) that takes the args
 *     "parallelism": 2, "config": {},
 *     "outputs": {"default": {"fields": ["word"], "direct": false}},
 *     "inputs": [{"from": "words", "stream": "default", "grouping": "fields", "fields": ["word"]}]}]}
 * </pre>
 */
class Plan {
    private static final String DEFAULT = "default";
    private final JsonNode plan;

    Plan(JsonNode plan) {
        this.plan = plan;
    }

    String name() {
        return plan.path("name").asText();
    }

    Map<String, Object> config() {
        Map<String, Object> config = map(plan.path("config"));
        config.put("topology.multilang.log.handler", LogEvents.class.getName());
        return config;
    }

    StormTopology topology() throws Exception {
        TopologyBuilder builder = new TopologyBuilder();
        for (JsonNode part : plan.path("components")) {
            declare(builder, part).addConfigurations(map(part.path("config")));
        }
        return builder.createTopology();
    }

    private ComponentConfigurationDeclarer<?> declare(TopologyBuilder builder, JsonNode part) throws Exception {
        String name = part.path("name").asText();
        int parallelism = part.path("parallelism").asInt(1);
        switch (part.path("kind").asText()) {
            case "spout":
                return builder.setSpout(name, spout(part), parallelism);
            case "bolt":
                BoltDeclarer bolt = builder.setBolt(name, bolt(part), parallelism);
                for (JsonNode input : part.path("inputs")) {
                    subscribe(bolt, input);
                }
                return bolt;
            default:
                throw new IllegalArgumentException(
                        "component '" + name + "': the kind is spout or bolt, not " + part.path("kind"));
        }
    }

    private IRichSpout spout(JsonNode part) throws Exception {
        return part.has("java") ? (IRichSpout) made(part) : childSpout(part);
    }

    private IRichBolt bolt(JsonNode part) throws Exception {
        return part.has("java") ? (IRichBolt) made(part) : childBolt(part);
    }

    IRichSpout childSpout(JsonNode part) {
        return new ChildSpout(command(part), env(), new Outputs(part));
    }

    IRichBolt childBolt(JsonNode part) {
        return new ChildBolt(command(part), env(), new Outputs(part));
    }

    private static Object made(JsonNode part) throws Exception {
        String name = part.path("java").asText();
        String whole = name.contains(".") ? name : Plan.class.getPackageName() + "." + name;
        return Class.forName(whole)
                .getConstructor(Map.class, Outputs.class)
                .newInstance(map(part.path("args")), new Outputs(part));
    }

    /**
     * The child's command, started in the topology's own folder. LocalCluster has one such folder for the whole JVM
     * (the first "resources" on its class path), so its rule is switched off: env(1) changes the folder and then
     * becomes the child.
     */
    private String[] command(JsonNode part) {
        List<String> words = new ArrayList<>(List.of("env", "--chdir=" + plan.path("resources").asText()));
        part.path("command").forEach(word -> words.add(word.asText()));
        return words.toArray(String[]::new);
    }

    private Map<String, String> env() {
        Map<String, String> env = new HashMap<>();
        map(plan.path("env")).forEach((name, value) -> env.put(name, (String) value));
        return env;
    }

    private static void subscribe(BoltDeclarer bolt, JsonNode input) {
        String from = input.path("from").asText();
        String stream = input.path("stream").asText(DEFAULT);
        switch (input.path("grouping").asText("shuffle")) {
            case "shuffle": bolt.shuffleGrouping(from, stream); break;
            case "fields": bolt.fieldsGrouping(from, stream, new Fields(strings(input.path("fields")))); break;
            case "all": bolt.allGrouping(from, stream); break;
            case "global": bolt.globalGrouping(from, stream); break;
            case "none": bolt.noneGrouping(from, stream); break;
            case "direct": bolt.directGrouping(from, stream); break;
            case "partial_key":
                bolt.partialKeyGrouping(from, stream, new Fields(strings(input.path("fields"))));
                break;
            case "local_or_shuffle": bolt.localOrShuffleGrouping(from, stream); break;
            default:
                throw new IllegalArgumentException(
                        "input from '" + from + "': unknown grouping " + input.path("grouping"));
        }
    }

    static List<String> strings(JsonNode list) {
        List<String> strings = new ArrayList<>();
        list.forEach(item -> strings.add(item.asText()));
        return strings;
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> map(JsonNode node) {
        return node.isObject() ? Events.JSON.convertValue(node, Map.class) : new HashMap<>();
    }
}
