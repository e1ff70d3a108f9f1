import Testing

@testable import Gateway

/// What the lists of Reporters and Providers promise to all that walk them.
@Suite struct ConfigurationPartsTests {
    @Test(arguments: ReporterType.allCases) func `a kind of Reporter is itself in the list`(type: ReporterType) {
        let section = type.section.init()
        #expect(section.reporter.type == type)
        #expect(section.destination.type == type.rawValue)
        #expect(section.summary.hasPrefix("reporter \(type.rawValue): "))
        #expect(section.descriptors > 0)
    }

    @Test(arguments: ReporterType.allCases) func `the keys of a kind are of that kind only`(type: ReporterType) throws {
        for key in type.section.keys {
            #expect(key.path.hasPrefix("reporting.reporters.N."))
            let listed = ConfigurationSchema.keys.filter { $0.path == key.path }
            #expect(try #require(listed.first).reporterTypes == [type.rawValue] && listed.count == 1)
        }
    }

    @Test func `a change of a section is one of the Reporter`() {
        for type in ReporterType.allCases {
            var reporter = type.section.init().reporter
            reporter.section.common.name = "other"
            #expect(reporter.type == type && reporter.section.common.name == "other")
            #expect(reporter != type.section.init().reporter)
        }
    }

    @Test func `only those that keep what is refused have a file for it`() throws {
        let key = try #require(ConfigurationSchema.keys.first { $0.path == "reporting.reporters.N.failurePath" })
        let kinds = ReporterType.allCases.filter { $0.section is any FailureFileSection.Type }
        #expect(key.reporterTypes == kinds.map(\.rawValue) && kinds == [.kafka, .http])
    }

    @Test func `a Provider is there as soon as one of its keys is written`() throws {
        for kind in Configuration.Providers.kinds {
            #expect(ConfigurationSchema.optionalSections.contains(kind.path))
            for key in kind.keys {
                #expect(key.pattern.hasPrefix(kind.path))
                #expect(ConfigurationSchema.keys.count { $0.path == key.path } == 1)
            }
            let key = try #require(kind.keys.first { $0.type == "integer" && $0.members == nil })
            var configuration = Configuration()
            #expect(configuration.providers.sections.isEmpty)
            try key.set(&configuration, key.pattern, "2")
            #expect(configuration.providers.sections.map { type(of: $0).path } == [kind.path])
        }
    }
}
