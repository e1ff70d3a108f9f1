import Testing

/// The source tree keeps to the rules.
@Suite struct TidyTests {
    @Test(arguments: Rules.all.indices) func tree(_ rule: Int) throws {
        let files = try SourceFile.all.get()
        #expect(files.contains { $0.path == "Tests/TidyTests/TidyTests.swift" }, "looked in the wrong place")
        for finding in Rules.all[rule].check(files) {
            Issue.record("\(Rules.all[rule].name): \(finding)")
        }
    }

    @Test func everyRuleHasSamples() {
        for rule in Rules.all {
            #expect(Sample.all.contains { $0.rule == rule.name && $0.line != nil }, "no bad sample of: \(rule.name)")
            #expect(Sample.all.contains { $0.rule == rule.name && $0.line == nil }, "no good sample of: \(rule.name)")
        }
    }

    /// Each rule fails on its bad samples, at the right line, and passes the good ones.
    @Test(arguments: Sample.all) func samples(_ sample: Sample) throws {
        let rule = try #require(Rules.all.first { $0.name == sample.rule })
        let files = sample.files.map { SourceFile(path: $0.path, text: $0.text) }
        #expect(rule.check(files).map(\.line) == (sample.line.map { [$0] } ?? []))
    }
}
