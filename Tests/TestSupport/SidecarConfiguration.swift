/// A configuration file to be. Values are YAML scalars, written as they are.
package struct SidecarConfiguration: Sendable {
    package struct Model: Sendable {
        package var name: String
        package var keys: [String: String]

        /// - Parameter version: nil: none is configured.
        package init(
            _ name: String,
            protocol: String = "native",
            url: String,
            version: String? = "1",
            _ more: [String: String] = [:]
        ) {
            self.name = name
            keys = more.merging(["protocol": `protocol`, "url": "\"\(url)\""]) { $1 }
            if let version { keys["version"] = "\"\(version)\"" }
        }
    }

    package var server: [String: String]
    package var models: [Model]
    package var reporting: [String: String]
    /// The File Reporter's keys beside `path`.
    package var file: [String: String]
    /// The Kafka Provider's keys; nil: there is none. Those with a dot go below `properties`.
    package var kafka: [String: String]?

    /// - Parameter server: added to: any free port, one shard, 5 s of draining.
    package init(
        _ models: Model...,
        server: [String: String] = [:],
        reporting: [String: String] = [:],
        file: [String: String] = [:]
    ) {
        self.models = models
        self.server = ["port": "0", "shards": "1", "drainTimeout": "5s"].merging(server) { $1 }
        self.reporting = reporting
        self.file = file
    }

    /// The file's text.
    package func yaml(eventFile: String) -> String {
        var lines = ["server:"]
        lines += Self.lines(server, indent: "  ")
        lines.append("models:")
        for model in models {
            lines.append("  - name: \"\(model.name)\"")
            lines += Self.lines(model.keys, indent: "    ")
        }
        lines.append("reporting:")
        lines += Self.lines(reporting, indent: "  ")
        lines.append("  reporters:")
        lines.append("    - type: file")
        lines.append("      path: \"\(eventFile)\"")
        lines += Self.lines(file, indent: "      ")
        if let kafka {
            lines += ["providers:", "  kafka:"]
            lines += Self.lines(kafka.filter { !$0.key.contains(".") }, indent: "    ")
            lines.append("    properties:")
            lines += Self.lines(kafka.filter { $0.key.contains(".") }, indent: "      ")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func lines(_ keys: [String: String], indent: String) -> [String] {
        keys.sorted { $0.key < $1.key }.map { "\(indent)\($0.key): \($0.value)" }
    }
}
