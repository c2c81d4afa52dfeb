package shim;

import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.elasticsearch.Build;
import org.elasticsearch.ResourceNotFoundException;
import org.elasticsearch.client.internal.node.NodeClient;
import org.elasticsearch.cluster.ClusterState;
import org.elasticsearch.cluster.ClusterStateUpdateTask;
import org.elasticsearch.cluster.metadata.DataStream;
import org.elasticsearch.cluster.metadata.IndexNameExpressionResolver;
import org.elasticsearch.cluster.node.DiscoveryNodes;
import org.elasticsearch.cluster.service.ClusterService;
import org.elasticsearch.common.io.stream.NamedWriteableRegistry;
import org.elasticsearch.common.settings.ClusterSettings;
import org.elasticsearch.common.settings.IndexScopedSettings;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.common.settings.SettingsFilter;
import org.elasticsearch.features.NodeFeature;
import org.elasticsearch.index.IndexVersion;
import org.elasticsearch.plugins.ActionPlugin;
import org.elasticsearch.plugins.Plugin;
import org.elasticsearch.rest.BaseRestHandler;
import org.elasticsearch.rest.RestChannel;
import org.elasticsearch.rest.RestController;
import org.elasticsearch.rest.RestHandler;
import org.elasticsearch.rest.RestRequest;
import org.elasticsearch.rest.RestResponse;
import org.elasticsearch.rest.RestStatus;
import org.elasticsearch.xcontent.XContentBuilder;

/**
 * Stands in for modules that are not published: {@code GET /} (rest-root), and reading and deleting data streams (data-streams).
 * It calls what the server has for it; no indexing and no searching is done here.
 */
public final class ShimPlugin extends Plugin implements ActionPlugin {
    private ClusterService cluster;

    @Override
    public Collection<?> createComponents(PluginServices services) {
        cluster = services.clusterService();
        return List.of();
    }

    @Override
    public Collection<RestHandler> getRestHandlers(
        Settings settings, NamedWriteableRegistry registry, RestController controller, ClusterSettings clusterSettings,
        IndexScopedSettings indexSettings, SettingsFilter filter, IndexNameExpressionResolver resolver,
        Supplier<DiscoveryNodes> nodes, Predicate<NodeFeature> features) {
        return List.of(new Root(), new DataStreams());
    }

    private final class Root extends BaseRestHandler {
        @Override
        public String getName() {
            return "shim_root";
        }

        @Override
        public List<Route> routes() {
            return List.of(new Route(RestRequest.Method.GET, "/"), new Route(RestRequest.Method.HEAD, "/"));
        }

        @Override
        protected RestChannelConsumer prepareRequest(RestRequest request, NodeClient client) {
            return channel -> {
                Build build = Build.current();
                ClusterState state = cluster.state();
                XContentBuilder json = channel.newBuilder();
                json.startObject();
                json.field("name", "node");
                json.field("cluster_name", state.getClusterName().value());
                json.field("cluster_uuid", state.metadata().clusterUUID());
                json.startObject("version");
                json.field("number", build.qualifiedVersion());
                json.field("build_flavor", build.flavor());
                json.field("build_type", build.type().displayName());
                json.field("build_hash", build.hash());
                json.field("build_date", build.date());
                json.field("build_snapshot", build.isSnapshot());
                json.field("lucene_version", IndexVersion.current().luceneVersion().toString());
                json.field("minimum_wire_compatibility_version", build.minWireCompatVersion());
                json.field("minimum_index_compatibility_version", build.minIndexCompatVersion());
                json.endObject();
                json.field("tagline", "You Know, for Search");
                json.endObject();
                channel.sendResponse(new RestResponse(RestStatus.OK, json));
            };
        }
    }

    private final class DataStreams extends BaseRestHandler {
        @Override
        public String getName() {
            return "shim_data_streams";
        }

        @Override
        public List<Route> routes() {
            return List.of(
                new Route(RestRequest.Method.GET, "/_data_stream"),
                new Route(RestRequest.Method.GET, "/_data_stream/{name}"),
                new Route(RestRequest.Method.DELETE, "/_data_stream/{name}"));
        }

        @Override
        protected RestChannelConsumer prepareRequest(RestRequest request, NodeClient client) {
            String name = request.param("name");
            boolean read = request.method() == RestRequest.Method.GET;
            return channel -> {
                if (read) {
                    list(name, channel);
                } else {
                    delete(name, channel);
                }
            };
        }

        private void list(String name, RestChannel channel) throws IOException {
            XContentBuilder json = channel.newBuilder();
            json.startObject().startArray("data_streams");
            for (DataStream stream : Compat.streams(cluster.state()).values()) {
                if (name != null && !name.equals("*") && !name.equals(stream.getName())) continue;
                json.startObject().field("name", stream.getName()).field("generation", stream.getGeneration()).startArray("indices");
                for (var index : stream.getIndices()) {
                    json.startObject().field("index_name", index.getName()).field("index_uuid", index.getUUID()).endObject();
                }
                json.endArray().endObject();
            }
            json.endArray().endObject();
            channel.sendResponse(new RestResponse(RestStatus.OK, json));
        }

        private void delete(String name, RestChannel channel) throws IOException {
            if (!Compat.streams(cluster.state()).containsKey(name)) {
                channel.sendResponse(new RestResponse(channel, new ResourceNotFoundException("no such data stream [" + name + "]")));
                return;
            }
            cluster.submitUnbatchedStateUpdateTask("shim-delete-data-stream", new ClusterStateUpdateTask() {
                @Override
                public ClusterState execute(ClusterState state) {
                    return Compat.delete(state, name, cluster.getSettings());
                }

                @Override
                public void onFailure(Exception failure) {
                    answer(channel, failure);
                }

                @Override
                public void clusterStateProcessed(ClusterState before, ClusterState after) {
                    answer(channel, null);
                }
            });
        }

        private void answer(RestChannel channel, Exception failure) {
            try {
                channel.sendResponse(failure != null
                    ? new RestResponse(channel, failure)
                    : new RestResponse(
                        RestStatus.OK, channel.newBuilder().startObject().field("acknowledged", true).endObject()));
            } catch (IOException broken) {
                throw new java.io.UncheckedIOException(broken);
            }
        }
    }
}
