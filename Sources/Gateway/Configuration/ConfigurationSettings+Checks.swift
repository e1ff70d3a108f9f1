// What no key can check by itself.
extension ConfigurationSettings {
    mutating func check(_ configuration: Configuration) {
        checkModels(configuration.models)
        checkReporters(configuration.reporting)
        for provider in configuration.providers.sections { provider.check(configuration, &self) }
    }

    private mutating func checkModels(_ models: [Configuration.Model]) {
        if models.isEmpty, !problems.contains(where: { $0.key.hasPrefix("models") }) {
            report(
                Problem(
                    origin,
                    key: "models",
                    "at least one model is needed: by --model NAME=URL, or by `models:` in a file that --config names; "
                        + "--help shows an example"
                )
            )
        }
        for (index, model) in models.enumerated() where model.transport == .direct {
            guard let scheme = try? ServiceURL.parse(model.url).scheme, scheme.way == .http, scheme.isSecure else {
                continue
            }
            let path = ConfigurationPath("models.N.transport").with(index: index)
            report(
                Problem(
                    source(of: path),
                    key: path.description,
                    value: model.transport.rawValue,
                    "cannot carry an https URL",
                    allowed: "auto, curl"
                )
            )
        }
        for (index, model) in models.enumerated() where model.retry.attempts > 1 && !model.repeatable {
            guard let cause = model.retry.causes.first(where: { $0 != .connect }) else { continue }
            let path = ConfigurationPath("models.N.retry.on").with(index: index)
            report(
                Problem(
                    source(of: path),
                    key: path.description,
                    value: model.retry.on,
                    "holds \(cause.rawValue), after which the model may have done the request: set models.\(index).repeatable "
                        + "if it does not mind to do it twice",
                    allowed: "connect"
                )
            )
        }
        var seen: [[String?]: Int] = [:]
        for (index, model) in models.enumerated() where !model.name.isEmpty {
            let identity = [model.name, model.version]
            if let other = seen[identity] {
                let path = ConfigurationPath("models.N.name").with(index: index)
                report(
                    Problem(
                        source(of: path),
                        key: path.description,
                        value: model.name,
                        "is the name of models.\(other) too, with the same version"
                    )
                )
            } else {
                seen[identity] = index
            }
        }
    }
}
