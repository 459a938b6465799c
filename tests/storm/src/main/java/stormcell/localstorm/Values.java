package stormcell.localstorm;

import java.io.BufferedOutputStream;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.apache.storm.multilang.BoltMsg;
import org.apache.storm.multilang.JsonSerializer;

/**
 * What Storm makes of a tuple's values on their way from one component to the next, without a topology.
 *
 * <p>Each line of stdin is a JSON array, whatever its bytes. It is read as part of an emit, by Storm's own
 * serializer, and answered by a line: the hash that a fields grouping goes by (TupleUtils.chooseTaskIndex), a
 * tab, and the array as Storm writes it to a bolt; or {@code refused}, where Storm would end the worker.
 */
public final class Values {
    private static final byte[] BEFORE = "{\"command\":\"emit\",\"tuple\":".getBytes(StandardCharsets.UTF_8);
    private static final byte[] BEHIND = "}\nend\n".getBytes(StandardCharsets.UTF_8);
    private static final byte[] REFUSED = "refused".getBytes(StandardCharsets.UTF_8);

    private Values() {
    }

    public static void main(String[] args) throws IOException {
        InputStream in = System.in;
        try (OutputStream out = new BufferedOutputStream(new FileOutputStream(FileDescriptor.out))) {
            for (byte[] line = readLine(in); line != null; line = readLine(in)) {
                out.write(answer(line));
                out.write('\n');
            }
        }
    }

    /** The bytes up to the next newline; null at the end. */
    private static byte[] readLine(InputStream in) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        int next = in.read();
        if (next < 0) {
            return null;
        }
        for (; next >= 0 && next != '\n'; next = in.read()) {
            line.write(next);
        }
        return line.toByteArray();
    }

    private static byte[] answer(byte[] array) {
        try {
            List<Object> values = read(array);
            ByteArrayOutputStream answer = new ByteArrayOutputStream();
            answer.writeBytes((Arrays.deepHashCode(values.toArray()) + "\t").getBytes(StandardCharsets.UTF_8));
            answer.writeBytes(written(values));
            return answer.toByteArray();
        } catch (Exception refused) {
            return REFUSED;
        }
    }

    private static List<Object> read(byte[] array) throws Exception {
        ByteArrayOutputStream message = new ByteArrayOutputStream();
        message.writeBytes(BEFORE);
        message.writeBytes(array);
        message.writeBytes(BEHIND);
        JsonSerializer serializer = new JsonSerializer();
        serializer.initialize(OutputStream.nullOutputStream(), new ByteArrayInputStream(message.toByteArray()));
        return serializer.readShellMsg().getTuple();
    }

    /** The value of the message's member "tuple", which Storm writes anywhere among the others. */
    private static byte[] written(List<Object> values) throws Exception {
        BoltMsg message = new BoltMsg();
        message.setTuple(values);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        JsonSerializer serializer = new JsonSerializer();
        serializer.initialize(out, InputStream.nullInputStream());
        serializer.writeBoltMsg(message);
        String text = out.toString(StandardCharsets.UTF_8);
        int start = text.indexOf("\"tuple\":") + "\"tuple\":".length();
        int end = text.lastIndexOf(",\"task\":");
        return text.substring(start, end).getBytes(StandardCharsets.UTF_8);
    }
}
