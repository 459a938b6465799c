package stormcell.localstorm;

import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** Calls something five times a second until it is stopped. */
final class Clock {
    private static final long PERIOD_MS = 200;
    private final ScheduledExecutorService thread = Executors.newSingleThreadScheduledExecutor();

    Clock(Runnable called) {
        thread.scheduleAtFixedRate(called, PERIOD_MS, PERIOD_MS, TimeUnit.MILLISECONDS);
    }

    void stop() {
        thread.shutdown();
    }
}
