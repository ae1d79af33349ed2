package org.elasticsearch.node; // for NodeConstruction and NodeServiceProvider, which are visible here only

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.elasticsearch.cluster.service.ClusterService;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.plugins.BundledPlugins;
import org.elasticsearch.plugins.PluginsLoader;
import org.elasticsearch.plugins.PluginsService;
import org.elasticsearch.transport.netty4.Netty4Plugin;

/**
 * Runs one Elasticsearch node from the published jars.
 *
 * <pre>java … org.elasticsearch.node.SingleNode HOME [setting=value …]</pre>
 *
 * HOME gets the folders config, data and logs. Every setting comes from the command line.
 */
public final class SingleNode extends Node {
    private SingleNode(Environment environment) {
        super(NodeConstruction.prepareConstruction(environment, noPluginFolders(), new FromClassPath(), true));
    }

    public static void main(String[] args) throws Exception {
        Path home = Path.of(args[0]).toAbsolutePath();
        Settings settings = settings(home, List.of(args).subList(1, args.length));
        LogConfigurator.configureWithoutConfig(settings);
        LogConfigurator.configureESLogging();
        Environment environment = InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), home.resolve("config"), () -> "single");
        Node node = new SingleNode(environment);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> close(node)));
        node.start();
        Thread.currentThread().join();
    }

    private static Settings settings(Path home, List<String> assignments) throws IOException {
        for (String folder : List.of("config", "data", "logs")) {
            Files.createDirectories(home.resolve(folder));
        }
        Settings.Builder settings = Settings.builder().put("path.home", home.toString());
        for (String assignment : assignments) {
            int equals = assignment.indexOf('=');
            settings.put(assignment.substring(0, equals), assignment.substring(equals + 1));
        }
        return settings.build();
    }

    private static PluginsLoader noPluginFolders() {
        return PluginsLoader.createPluginsLoader(Set.of(), Set.of(), Map.of(), false);
    }

    private static void close(Node node) {
        try {
            node.close();
        } catch (IOException e) {
            e.printStackTrace();
        }
    }

    // It tells the layouts of the distribution's log4j2.properties the node's name; there are none here.
    @Override
    protected void configureNodeAndClusterIdStateListener(ClusterService clusterService) {}

    private static final class FromClassPath extends NodeServiceProvider {
        @Override
        PluginsService newPluginService(Environment environment, PluginsLoader loader) {
            return new BundledPlugins(environment.settings(), environment.configDir(), loader, List.of(Netty4Plugin.class));
        }
    }
}
