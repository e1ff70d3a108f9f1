import Testing

@testable import Gateway

/// A wrong type, a value out of range and a misspelt name, for each key in each layer.
@Suite struct ConfigurationMistakeTests {
    struct Mistake: Sendable, CustomTestStringConvertible {
        let key: ConfigurationKey
        let value: String
        /// What the message says is wrong.
        let reason: String

        var testDescription: String { "\(key.path): \(value.debugDescription)" }
    }

    /// Where a value can be written, and how a message names that place.
    enum Layer: CaseIterable { case file, environment, flag }

    /// Wrong values by type. Maps take any name and any text: ConfigurationMapTests has what they refuse.
    static func mistakes(of key: ConfigurationKey) -> [Mistake] {
        let control = ("a\u{1}b", "holds a control character")
        let values: [(String, String)] =
            switch key.type {
            case "integer": [("seven", "is not a whole number"), ("1.5", "is not a whole number")]
            case "boolean": [("maybe", "is neither true nor false")]
            case "size": [("3 buckets", "is not a size")]
            case "duration": [("soon", "is not a duration"), ("75", "has no unit")]
            case "word": [("Nonsense", "is not one of the words")]
            case "URL": [("ftp://a/", "does not start with http://"), control]
            case "brokers": [("a:99999", "port"), control]
            case "topic": [("a b", "holds a character that no name of a topic has")]
            default: [control]
            }
        return (values + outOfRange(key)).map { Mistake(key: key, value: $0.0, reason: $0.1) }
    }

    /// Just below and just above what is allowed.
    private static func outOfRange(_ key: ConfigurationKey) -> [(String, String)] {
        let bounds = key.allowed.split(separator: " ").map(String.init)
        guard ["integer", "size", "duration"].contains(key.type), bounds.count == 3 else { return [] }
        var values: [String] = []
        switch key.type {
        case "integer":
            values = [(-1, bounds[0]), (1, bounds[2])].compactMap { step, text in Int(text).map { "\($0 + step)" } }
        case "size":
            values = [(-1, bounds[0]), (1, bounds[2])].compactMap { step, text in
                (try? SizeText.parse(text)).flatMap { $0 + step < 0 ? nil : "\($0 + step)" }
            }
        default:
            values = [(-1, bounds[0]), (1, bounds[2])].compactMap { step, text in
                (try? DurationText.parse(text)).flatMap { $0 == .zero ? nil : $0 + .microseconds(step) }
                    .map { DurationText.describe($0) }
            }
        }
        return values.map { ($0, "is out of range") }
    }

    static let ordinary = ConfigurationSchema.keys.filter { $0.members == nil }
    static let all = ordinary.flatMap(mistakes)

    @Test func everyKeyHasAMistake() {
        #expect(Set(Self.all.map(\.key.path)) == Set(Self.ordinary.map(\.path)))
        let bounded = Self.ordinary.filter { ["integer", "size", "duration"].contains($0.type) }
        for key in bounded {
            let isTold = Self.all.contains { $0.key.path == key.path && $0.reason == "is out of range" }
            #expect(isTold, "\(key.path)")
        }
    }

    @Test(arguments: all, Layer.allCases) func isTold(_ mistake: Mistake, _ layer: Layer) throws {
        let key = mistake.key
        let path = key.pattern.description
        let (problems, place) = problems(at: path, key.environmentName, mistake.value, layer)
        let problem = try #require(problems.first { $0.key == path })
        #expect(problem.source.description == place)
        #expect(problem.value?.isEmpty == false)
        #expect(problem.reason.contains(mistake.reason), "\(problem)")
        #expect(problem.allowed ?? "" == key.allowed)
    }

    @Test(arguments: ordinary.map(\.pattern), Layer.allCases)
    func misspeltNamesAreTold(_ pattern: ConfigurationPath, _ layer: Layer) throws {
        guard case .name(let name)? = pattern.components.last else { return }
        let wrong = pattern.parent.appending(.name(misspelt(name)))
        let (problems, place) = problems(at: wrong.description, wrong.environmentName, "1", layer)
        let problem = try #require(problems.first { $0.reason.hasPrefix("unknown") })
        #expect(problem.source.description == place)
        if layer == .environment {
            #expect(problem.suggestion == pattern.environmentName)
        } else {
            #expect(problem.key == wrong.description)
            #expect(problem.suggestion == pattern.description)
        }
    }

    /// With the last two letters the other way round, or one more where that changes nothing.
    private func misspelt(_ name: String) -> String {
        let swapped = String(name.dropLast(2)) + String(name.suffix(2).reversed())
        return swapped == name ? name + "x" : swapped
    }

    /// The problems of a configuration that is right but for this one value, and the place of that value.
    private func problems(
        at path: String,
        _ environmentName: String,
        _ value: String,
        _ layer: Layer
    ) -> ([ConfigurationError.Problem], place: String) {
        let keys = ConfigurationKeyTests.minimum(for: ConfigurationPath(text: path))
        switch layer {
        case .file:
            let text = value.replacing("\u{1}", with: "\\x01")
            let yaml = ConfigurationKeyTests.yaml(keys.merging([path: text]) { $1 })
            let name = path.split(separator: ".").last ?? ""
            // All is on one line.
            let offset = yaml.firstRange(of: "\(name): \"\(text)\"").map { yaml[..<$0.lowerBound].count }
            return (problems { () throws(ConfigurationError) in try load(yaml) }, "test.yaml:1:\((offset ?? 0) + 1)")
        case .environment:
            let yaml = ConfigurationKeyTests.yaml(keys)
            let problems = problems { () throws(ConfigurationError) in
                try load(yaml, environment: [environmentName: value])
            }
            return (problems, environmentName)
        case .flag:
            let yaml = ConfigurationKeyTests.yaml(keys)
            return (problems { () throws(ConfigurationError) in try load(yaml, set: [(path, value)]) }, "--set")
        }
    }

    private func problems(_ load: () throws(ConfigurationError) -> Configuration) -> [ConfigurationError.Problem] {
        do {
            _ = try load()
            return []
        } catch {
            return error.problems
        }
    }
}
