package shim;

import java.util.Map;
import java.util.Set;
import org.elasticsearch.cluster.ClusterState;
import org.elasticsearch.cluster.metadata.DataStream;
import org.elasticsearch.cluster.metadata.MetadataDataStreamsService;
import org.elasticsearch.common.settings.Settings;

/** Where Elasticsearch 8 keeps data streams. */
final class Compat {
    static Map<String, DataStream> streams(ClusterState state) {
        return state.metadata().dataStreams();
    }

    static ClusterState delete(ClusterState state, String name, Settings settings) {
        return MetadataDataStreamsService.deleteDataStreams(state, Set.of(streams(state).get(name)), settings);
    }
}
