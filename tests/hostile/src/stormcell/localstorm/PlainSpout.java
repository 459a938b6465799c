package stormcell.localstorm;

import java.util.Map;
import org.apache.storm.spout.ShellSpout;
import org.apache.storm.topology.IRichSpout;
import org.apache.storm.topology.OutputFieldsDeclarer;

/** Storm's ShellSpout and nothing else. */
public final class PlainSpout extends ShellSpout implements IRichSpout {
    private static final long serialVersionUID = 1;
    private final Outputs outputs;

    PlainSpout(String[] command, Outputs outputs) {
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
