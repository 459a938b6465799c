package stormcell.localstorm;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.storm.task.TopologyContext;

/**
 * The only way out of this JVM: JSON objects, one a line, on the stdout it was started with.
 * Storm makes the components by itself from serialized bytes, so they can reach nothing that isn't static.
 */
final class Events {
    /** Maps become HashMaps since Kryo knows those; ASCII alone carries every string, lone surrogates too. */
    static final ObjectMapper JSON = JsonMapper.builder()
            .addModule(new SimpleModule().addAbstractTypeMapping(Map.class, HashMap.class))
            .enable(JsonWriteFeature.ESCAPE_NON_ASCII)
            .build();

    private static final OutputStream OUT = new FileOutputStream(FileDescriptor.out);

    private Events() {
    }

    /** Keeps whatever else prints off the line. */
    static void claimStdout() {
        System.setOut(System.err);
    }

    /** Sends an event; {@code pairs} are names and values by turns. */
    static void send(String event, Object... pairs) {
        write(line(event, pairs));
    }

    /** Sends an event that says which task of which topology it comes from. */
    static void from(TopologyContext here, String event, Object... pairs) {
        Map<String, Object> line = line(event,
                "topology", here.getConf().get("topology.name"),
                "component", here.getThisComponentId(),
                "task", here.getThisTaskId());
        line.putAll(named(pairs));
        write(line);
    }

    private static Map<String, Object> line(String event, Object... pairs) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("event", event);
        line.putAll(named(pairs));
        return line;
    }

    private static Map<String, Object> named(Object... pairs) {
        Map<String, Object> named = new LinkedHashMap<>();
        for (int i = 0; i < pairs.length; i += 2) {
            named.put((String) pairs[i], pairs[i + 1]);
        }
        return named;
    }

    private static void write(Map<String, Object> line) {
        byte[] text = bytes(line);
        synchronized (OUT) {
            try {
                OUT.write(text);
            } catch (IOException gone) {
                // Nobody reads any more. The end of stdin says so too, and is what ends this JVM.
            }
        }
    }

    private static byte[] bytes(Map<String, Object> line) {
        try {
            byte[] text = JSON.writeValueAsBytes(line);
            byte[] whole = Arrays.copyOf(text, text.length + 1);
            whole[text.length] = '\n';
            return whole;
        } catch (JsonProcessingException e) {
            return bytes(line("unprintable", "what", line.get("event"), "why", e.getOriginalMessage()));
        }
    }
}
