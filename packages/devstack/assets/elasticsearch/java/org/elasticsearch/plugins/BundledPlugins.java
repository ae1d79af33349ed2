package org.elasticsearch.plugins; // for LoadedPlugin, which is visible here only

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.elasticsearch.Build;
import org.elasticsearch.action.admin.cluster.node.info.PluginsAndModules;
import org.elasticsearch.common.settings.Settings;

/**
 * Takes plugins from the class path, where the distribution would look for folders under modules/ and plugins/, each with
 * a class loader and a descriptor of its own.
 */
public final class BundledPlugins extends PluginsService {
    private final List<LoadedPlugin> bundled;

    public BundledPlugins(Settings settings, Path config, PluginsLoader loader, List<Class<? extends Plugin>> classes) {
        super(settings, config, loader);
        bundled = classes.stream().map(type -> load(type, settings, config)).toList();
        loadExtensions(bundled);
    }

    // The superclass asks while it is being constructed, when there are none yet.
    @Override
    protected List<LoadedPlugin> plugins() {
        return bundled == null ? List.of() : bundled;
    }

    @Override
    public PluginsAndModules info() {
        return new PluginsAndModules(List.of(), plugins().stream().map(LoadedPlugin::descriptor).toList());
    }

    private LoadedPlugin load(Class<? extends Plugin> type, Settings settings, Path config) {
        return new LoadedPlugin(descriptorOf(type), loadPlugin(type, settings, config), type.getClassLoader());
    }

    private static PluginDescriptor descriptorOf(Class<? extends Plugin> type) {
        String properties = String.join(
            "\n",
            "name=" + type.getSimpleName(),
            "description=from the class path",
            "version=" + Build.current().version(),
            "elasticsearch.version=" + Build.current().version(),
            "java.version=17",
            "classname=" + type.getName()
        );
        try {
            return PluginDescriptor.readInternalDescriptorFromStream(new ByteArrayInputStream(properties.getBytes(StandardCharsets.UTF_8)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
