package shim;

import java.util.Map;
import java.util.Set;
import org.elasticsearch.cluster.ClusterState;
import org.elasticsearch.cluster.metadata.DataStream;
import org.elasticsearch.cluster.metadata.MetadataDataStreamsService;
import org.elasticsearch.cluster.metadata.ProjectId;
import org.elasticsearch.common.settings.Settings;

/** Where Elasticsearch 9 keeps data streams: in a project. */
final class Compat {
    static Map<String, DataStream> streams(ClusterState state) {
        return state.metadata().getProject(ProjectId.DEFAULT).dataStreams();
    }

    static ClusterState delete(ClusterState state, String name, Settings settings) {
        DataStream stream = streams(state).get(name);
        return MetadataDataStreamsService.deleteDataStreams(state.projectState(ProjectId.DEFAULT), Set.of(stream), settings);
    }
}
