// The keys of Reporters. Which of them one has depends on its type.
extension ConfigurationSchema {
    static let reporters: [ConfigurationKey] =
        [.words("reporting.reporters.N.type", reporterType, isRequired: true, "What kind of Reporter this is.")]
        + Configuration.Reporter.Common.keys
        + ReporterType.allCases.flatMap { $0.section.keys.ofReporters([$0]) }
        + failures.ofReporters(ReporterType.allCases.filter { $0.section is any FailureFileSection.Type })

    private static let reporterType = ConfigurationPlace<ReporterType>(
        defaultValue: .file,
        modify: { configuration, index, change in
            var type = ReporterType.file
            change(&type)
            configuration.reporting.reporters[index] = type.section.init().reporter
        }
    )

    private static let failures: [ConfigurationKey] = [
        .text(
            "reporting.reporters.N.failurePath",
            .failurePath,
            type: "path",
            "Takes the events that were refused for good, each with its cause; relative to the working directory."
        )
    ]
}
