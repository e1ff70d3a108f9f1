// What the keys of Reporters cannot check by themselves.
extension ConfigurationSettings {
    mutating func checkReporters(_ reporting: Configuration.Reporting) {
        let reporters = reporting.reporters
        checkNames(reporting.reporterNames)
        for (index, reporter) in reporters.enumerated() {
            let path = ConfigurationPath("reporting.reporters.N").with(index: index)
            reporter.section.check(path, reporting.delivery, &self)
        }
        var files: [String: Int] = [:]
        for (index, reporter) in reporters.enumerated() {
            guard let path = reporter.section.eventPath, !path.isEmpty else { continue }
            let name = Self.normalized(path)
            if let other = files[name] {
                reportTaken("reporting.reporters.N.path", index, path, by: other)
            } else {
                files[name] = index
            }
        }
        for (index, reporter) in reporters.enumerated() {
            guard let path = (reporter.section as? any FailureFileSection)?.failurePath else { continue }
            // Failures of several Reporters may share a file, but a rotated file of events would mix the two.
            if let other = files[Self.normalized(path)] {
                reportTaken("reporting.reporters.N.failurePath", index, path, by: other)
            }
        }
    }

    private mutating func checkNames(_ names: [String]) {
        var seen: [String: Int] = [:]
        for (index, name) in names.enumerated() {
            guard let other = seen.updateValue(index, forKey: name) else { continue }
            let path = ConfigurationPath("reporting.reporters.N.name").with(index: index)
            report(
                Problem(
                    source(of: path),
                    key: path.description,
                    value: name,
                    "is the name of reporting.reporters.\(other) too"
                )
            )
        }
    }

    private mutating func reportTaken(_ pattern: ConfigurationPath, _ index: Int, _ file: String, by other: Int) {
        let path = pattern.with(index: index)
        let reason = "is the file of reporting.reporters.\(other) too"
        report(Problem(source(of: path), key: path.description, value: file, reason))
    }

    /// `section` has both keys.
    mutating func checkBackoff(_ section: ConfigurationPath, _ first: Duration, most: Duration) {
        let names = ["retryBackoff", "maxRetryBackoff"].map { section.appending(.name($0)) }
        // A value that was refused has left its default in the Configuration.
        guard most < first, !problems.contains(where: { names.map(\.description).contains($0.key) }) else { return }
        report(
            Problem(
                source(of: names[1]),
                key: names[1].description,
                value: DurationText.describe(most),
                "is shorter than retryBackoff, which is \(DurationText.describe(first))"
            )
        )
    }

    /// The path without `.` and doubled slashes, so that `./a` and `a` are the same; links are not followed.
    static func normalized(_ path: String) -> String {
        let parts = path.split(separator: "/").filter { $0 != "." }
        return (path.hasPrefix("/") ? "/" : "") + parts.joined(separator: "/")
    }
}
