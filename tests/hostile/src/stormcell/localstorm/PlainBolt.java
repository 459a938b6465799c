package stormcell.localstorm;

import java.util.Map;
import org.apache.storm.task.ShellBolt;
import org.apache.storm.topology.IRichBolt;
import org.apache.storm.topology.OutputFieldsDeclarer;

/** Storm's ShellBolt and nothing else. */
public final class PlainBolt extends ShellBolt implements IRichBolt {
    private static final long serialVersionUID = 1;
    private final Outputs outputs;

    PlainBolt(String[] command, Outputs outputs) {
        super(command);
        this.outputs = outputs;
    }

    @Override
    public void declareOutputFields(OutputFieldsDeclarer declarer) {
        outputs.declare(declarer);
    }

    @Override
    public Map<String, Object> getComponentConfiguration() {
        return null;
    }
}
