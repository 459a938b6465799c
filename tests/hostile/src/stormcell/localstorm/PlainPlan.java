package stormcell.localstorm;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;
import org.apache.storm.topology.IRichBolt;
import org.apache.storm.topology.IRichSpout;

/** A topology as JSON for a real worker: its children are in Storm's own hands, as a user's are. */
final class PlainPlan extends Plan {
    PlainPlan(JsonNode plan) {
        super(plan);
    }

    @Override
    Map<String, Object> config() {
        Map<String, Object> config = super.config();
        config.remove("topology.multilang.log.handler");
        return config;
    }

    @Override
    IRichSpout childSpout(JsonNode part) {
        return new PlainSpout(words(part), new Outputs(part));
    }

    @Override
    IRichBolt childBolt(JsonNode part) {
        return new PlainBolt(words(part), new Outputs(part));
    }

    private static String[] words(JsonNode part) {
        return strings(part.path("command")).toArray(String[]::new);
    }
}
