/// The reference of the configuration in Markdown: `reference.md` beside this file, with the tables of all keys in it.
public enum ConfigurationReference {
    /// What `docs/configuration.md` holds.
    public static var markdown: String {
        var text = ""
        for line in String(decoding: PackageResources.reference_md, as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false)
        {
            switch line {
            case "<!-- keys -->": text += groups.map(\.markdown).joined(separator: "\n")
            case "<!-- kafka properties -->": text += reserved(ConfigurationSchema.reservedKafkaProperties)
            case "<!-- headers -->": text += reserved(ConfigurationSchema.reservedHeaders)
            default: text += line + "\n"
            }
        }
        while text.hasSuffix("\n\n") { text.removeLast() }
        return text
    }

    /// The keys of one section; of Reporters also those of the same types.
    private struct Group {
        let section: String
        let reporterTypes: [String]
        var keys: [ConfigurationKey] = []

        var markdown: String {
            let types = reporterTypes.isEmpty ? "" : " of type \(reporterTypes.joined(separator: " or "))"
            return "### `\(section)`\(types)\n\n| key | type | default | what it does |\n|---|---|---|---|\n"
                + keys.map(\.row).joined()
        }
    }

    /// In the order of the table.
    private static var groups: [Group] {
        ConfigurationSchema.keys.reduce(into: []) { groups, key in
            if groups.last?.section != key.section || groups.last?.reporterTypes != key.reporterTypes {
                groups.append(Group(section: key.section, reporterTypes: key.reporterTypes))
            }
            groups[groups.count - 1].keys.append(key)
        }
    }

    private static func reserved(_ reasons: [String: String]) -> String {
        "| name | why |\n|---|---|\n"
            + reasons.sorted { $0.key < $1.key }.map { "| `\($0.key)` | \(escaped($0.value)) |\n" }.joined()
    }
}

extension ConfigurationKey {
    /// Of a member of an open map, the section around the map.
    fileprivate var section: String {
        let parent = pattern.parent
        return (members == nil ? parent : parent.parent).documented
    }

    /// A row of the table: below the key stand its environment variable and its flag, below the meaning what is allowed.
    fileprivate var row: String {
        let names = [path, environmentName] + (ConfigurationFlags.ownFlags[path].map { [$0] } ?? [])
        let value = isRequired ? "required" : defaultText.isEmpty ? "not set" : "`\(defaultText)`"
        let meaning = escaped(documentation) + (allowed.isEmpty ? "" : "<br>Allowed: \(escaped(allowed)).")
        return "| \(names.map { "`\($0)`" }.joined(separator: "<br>")) | \(type) | \(value) | \(meaning) |\n"
    }
}

/// `text` with what Markdown would read as marks.
private func escaped(_ text: String) -> String {
    text.unicodeScalars.reduce(into: "") { result, scalar in
        if "|*_<\\".unicodeScalars.contains(scalar) { result += "\\" }
        result.unicodeScalars.append(scalar)
    }
}
