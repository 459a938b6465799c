package stormcell.localstorm;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.Serializable;
import java.util.ArrayList;
import org.apache.storm.topology.OutputFieldsDeclarer;
import org.apache.storm.tuple.Fields;

/** The streams that a component declares. */
public final class Outputs implements Serializable {
    private static final long serialVersionUID = 1;

    private static final class Stream implements Serializable {
        private static final long serialVersionUID = 1;
        final String name;
        final boolean direct;
        final ArrayList<String> fields;

        Stream(String name, JsonNode about) {
            this.name = name;
            this.direct = about.path("direct").asBoolean();
            this.fields = new ArrayList<>(Plan.strings(about.path("fields")));
        }
    }

    private final ArrayList<Stream> streams = new ArrayList<>();

    Outputs(JsonNode component) {
        JsonNode outputs = component.path("outputs");
        outputs.fieldNames().forEachRemaining(name -> streams.add(new Stream(name, outputs.get(name))));
    }

    void declare(OutputFieldsDeclarer declarer) {
        for (Stream stream : streams) {
            declarer.declareStream(stream.name, stream.direct, new Fields(stream.fields));
        }
    }
}
