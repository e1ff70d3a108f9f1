// From texts to values.
extension ConfigurationSettings {
    /// Parses all values into a Configuration and reports what does not parse, does not belong or is not there.
    mutating func apply(_ secrets: SecretReferences) -> Configuration {
        var configuration = Configuration()
        configuration.models = Array(repeating: .init(), count: counts["models", default: 0])
        configuration.reporting.reporters = Array(
            repeating: .file(.init()),
            count: counts["reporting.reporters", default: 0]
        )
        for (path, setting) in inOrder() where belongs(path, setting) {
            if let members = setting.key.members {
                applyMember(of: members, setting, at: path, secrets, to: &configuration)
            } else {
                do throws(InvalidValue) {
                    try setting.key.set(&configuration, path, setting.value)
                } catch {
                    report(setting, at: path, shown: setting.value, error)
                }
            }
        }
        reportMissing()
        return configuration
    }

    /// In the order of the table, and lists by index.
    private func inOrder() -> [(ConfigurationPath, Setting)] {
        func rank(_ path: ConfigurationPath) -> (Int, Int, String) {
            (ConfigurationSchema.order(of: path), path.index ?? 0, path.member ?? "")
        }
        return settings.sorted { rank($0.key) < rank($1.key) }
    }

    private mutating func applyMember(
        of members: ConfigurationMembers,
        _ setting: Setting,
        at path: ConfigurationPath,
        _ secrets: SecretReferences,
        to configuration: inout Configuration
    ) {
        do throws(InvalidValue) {
            try members.checkName(path.member ?? "")
        } catch {
            return report(setting, at: path, shown: nil, error)
        }
        do throws(InvalidValue) {
            var value = setting.value
            if let text = value { value = try secrets.resolve(text) }
            try setting.key.set(&configuration, path, value)
        } catch {
            // What is written may be a password as well as the name of one.
            report(setting, at: path, shown: setting.value.map { _ in "***" }, error)
        }
    }

    private mutating func report(
        _ setting: Setting,
        at path: ConfigurationPath,
        shown value: String?,
        _ error: InvalidValue
    ) {
        let allowed = setting.key.allowed
        report(
            Problem(
                setting.source,
                key: path.description,
                value: value,
                error.reason,
                allowed: allowed.isEmpty ? nil : allowed,
                suggestion: error.suggestion
            )
        )
    }

    /// Reports a key that Reporters of the type which this one has do not have.
    private mutating func belongs(_ path: ConfigurationPath, _ setting: Setting) -> Bool {
        let types = setting.key.reporterTypes
        guard !types.isEmpty, let type = path.element.flatMap(reporterType), !types.contains(type.rawValue) else {
            return true
        }
        let owners = "a Reporter of type \(types.joined(separator: " or "))"
        report(
            Problem(setting.source, key: path.description, "belongs to \(owners), not to one of type \(type.rawValue)")
        )
        return false
    }

    /// The type that a Reporter is said to have; nil: none that there is.
    private func reporterType(of element: ConfigurationPath) -> ReporterType? {
        settings[element.appending(.name("type"))]?.value.flatMap { ReporterType(rawValue: $0) }
    }

    private mutating func reportMissing() {
        let inOrder = elements.sorted { ($0.key.index ?? 0, "\($0.key)") < ($1.key.index ?? 0, "\($1.key)") }
        for (element, source) in inOrder where !isMalformed(element) {
            let type = reporterType(of: element)?.rawValue
            for key in ConfigurationSchema.keys where key.isRequired && key.pattern.hasPrefix(element.pattern) {
                let path = key.pattern.with(index: element.index)
                guard settings[path] == nil, key.reporterTypes.isEmpty || key.reporterTypes.contains(type ?? "") else {
                    continue
                }
                report(Problem(source, key: path.description, "is missing"))
            }
        }
    }
}
