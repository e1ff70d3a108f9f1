import Testing

@testable import Gateway

/// What people read when something is wrong, word for word.
@Suite struct ConfigurationErrorTests {
    private static let urls =
        "; allowed: http://host[:port]/path, https://host[:port]/path or http+unix://%2Fsocket%2Fpath/path"

    private static let topics = "1 to 249 of the characters a-z, A-Z, 0-9, '.', '_' and '-'"

    /// What is added to the minimal configuration, which has seven lines.
    @Test(arguments: [
        ("server: { prot: 1 }", "test.yaml:8: server.prot: unknown key; did you mean 'server.port'?"),
        (
            "server: { maxbodybytes: 1 }",
            "test.yaml:8: server.maxbodybytes: unknown key; did you mean 'server.maxBodyBytes'?"
        ),
        ("servr: { port: 1 }", "test.yaml:8: servr: unknown key; did you mean 'server'?"),
        ("bodyTimeout: 1s", "test.yaml:8: bodyTimeout: unknown key; did you mean 'server.bodyTimeout'?"),
        ("zebra: 1", "test.yaml:8: zebra: unknown key"),
        ("server: { topics: 1 }", "test.yaml:8: server.topics: unknown key"),
        ("providers: { kafka: { zebra: 1 } }", "test.yaml:8: providers.kafka.zebra: unknown key"),
        ("server.port: 1", "test.yaml:8: server.port: unknown key; sections are nested, not written with dots"),
        (
            "server:\n  # a comment\n  port: x",
            "test.yaml:10: server.port: 'x' is not a whole number; allowed: 0 to 65535"
        ),
        ("server: { port: 65536 }", "test.yaml:8: server.port: '65536' is out of range; allowed: 0 to 65535"),
        ("server: { port: }", "test.yaml:8: server.port: is empty; allowed: 0 to 65535"),
        ("server: { port: '' }", "test.yaml:8: server.port: '' is empty; allowed: 0 to 65535"),
        ("server: { port: [1] }", "test.yaml:8: server.port: needs one value, not a list or a section"),
        ("server: 8080", "test.yaml:8: server: needs keys with values, written as 'key: value'"),
        ("server: { host: \"a\\nb\" }", "test.yaml:8: server.host: 'a\\u{a}b' holds a control character"),
        (
            "server: { maxHeaderBytes: 1023B }",
            "test.yaml:8: server.maxHeaderBytes: '1023B' is out of range; allowed: 1KiB to 1MiB"
        ),
        (
            "server: { maxBodyBytes: 1 MB }",
            """
            test.yaml:8: server.maxBodyBytes: '1 MB' is not a size; write a whole number of bytes, or one with B, KiB, \
            MiB, GiB, TiB, KB, MB, GB or TB; allowed: 0B to 1TiB
            """
        ),
        (
            "server: { idleTimeout: 75 }",
            """
            test.yaml:8: server.idleTimeout: '75' has no unit; write ms, s, m or h after the number; \
            allowed: 1s to 24h
            """
        ),
        (
            "log: { level: debgu }",
            """
            test.yaml:8: log.level: 'debgu' is not one of the words; allowed: trace, debug, info, notice, warning, \
            error, critical; did you mean 'debug'?
            """
        ),
        ("providers: { kafak: {} }", "test.yaml:8: providers.kafak: unknown key; did you mean 'providers.kafka'?"),
    ]) func ofOneKeyInTheFile(_ yaml: String, _ message: String) {
        #expect(problems(minimalYAML + "\n" + yaml) == [message])
    }

    @Test(arguments: [
        (
            "{ name: '', url: 'http://a/' }",
            ["models.0.name: '' is empty; allowed: text without control characters"]
        ),
        ("{ url: 'http://a/' }", ["models.0.name: is missing"]),
        (
            "{ name: a, url: 'HTTPS://a/', transport: direct }",
            ["models.0.transport: 'direct' cannot carry an https URL; allowed: auto, curl"]
        ),
        ("{ name: a }", ["models.0.url: is missing"]),
        ("{}", ["models.0.name: is missing", "models.0.url: is missing"]),
        ("iris", ["models.0: needs keys with values, written as 'key: value'"]),
        ("", ["models.0: needs keys with values, written as 'key: value'"]),
        (
            "{ name: a, url: 'ftp://a/' }",
            ["models.0.url: 'ftp://a/' does not start with http://, https:// or http+unix://\(urls)"]
        ),
        (
            "{ name: a, url: 'http://a/', healthUrl: 'http://u:secret@a/' }",
            ["models.0.healthUrl: 'http://***@a/' holds a user name or password, which does not belong there\(urls)"]
        ),
        (
            "{ name: a, url: 'http://a/', topic: x }",
            ["models.0.topic: unknown key; did you mean 'reporting.reporters.0.topic'?"]
        ),
    ]) func ofAModel(_ element: String, _ messages: [String]) {
        #expect(problems("models:\n  - \(element)") == messages.map { "test.yaml:2: " + $0 })
    }

    @Test(arguments: [
        ("reporters: { type: file }", ["reporters: needs a list; each entry starts with '- '"]),
        ("reporters: [{ type: file }]", ["reporters.0.path: is missing"]),
        ("reporters: [{ path: a }]", ["reporters.0.type: is missing"]),
        (
            "reporters: [{ type: pigeon, path: a, topic: '?' }]",
            [
                "reporters.0.type: 'pigeon' is not one of the words; allowed: file, kafka, http",
                "reporters.0.topic: '?' holds a character that no name of a topic has; allowed: \(topics)",
            ]
        ),
        (
            "reporters: [{ type: file, path: a }, { type: file, path: .//a }]",
            ["reporters.1.path: './/a' is the file of reporting.reporters.0 too"]
        ),
        (
            "reporters: [{ type: file, path: a, keep: 0 }]",
            ["reporters.0.keep: '0' is out of range; allowed: 1 to 1000"]
        ),
        (
            "delivery: at-least-onec",
            [
                """
                delivery: 'at-least-onec' is not one of the words; allowed: best-effort, at-least-once; \
                did you mean 'at-least-once'?
                """
            ]
        ),
        ("spool: { path: '' }", ["spool.path: '' is empty"]),
        ("spool: { maxBytes: 1KiB }", ["spool.maxBytes: '1KiB' is out of range; allowed: 64KiB to 1TiB"]),
        ("spool: { fsyncInterval: 2h }", ["spool.fsyncInterval: '2h' is out of range; allowed: 1ms to 1h"]),
        ("spool: { whenFull: x }", ["spool.whenFull: 'x' is not one of the words; allowed: refuse, drop-oldest"]),
    ]) func ofReporting(_ yaml: String, _ messages: [String]) {
        let text = "models: [{ name: a, url: 'http://a/' }]\nreporting: { \(yaml) }"
        #expect(problems(text) == messages.map { "test.yaml:2: reporting." + $0 })
    }

    @Test(arguments: [
        (
            ["AMERON_SERVER_PRT": "1"],
            ["AMERON_SERVER_PRT: unknown environment variable; did you mean 'AMERON_SERVER_PORT'?"]
        ),
        (
            ["AMERON_MODELS_3_URLS": "1"],
            ["AMERON_MODELS_3_URLS: unknown environment variable; did you mean 'AMERON_MODELS_3_URL'?"]
        ),
        (["AMERON_CONFG": "1"], ["AMERON_CONFG: unknown environment variable; did you mean 'AMERON_CONFIG'?"]),
        (["AMERON_ZEBRA": "1"], ["AMERON_ZEBRA: unknown environment variable"]),
        (
            ["AMERON_server_port": "1"],
            ["AMERON_server_port: unknown environment variable; did you mean 'AMERON_SERVER_PORT'?"]
        ),
        (["AMERON_SERVER_PORT": ""], ["AMERON_SERVER_PORT: server.port: '' is empty; allowed: 0 to 65535"]),
        (
            ["AMERON_SERVER_MAXBODYBYTES": "1", "AMERON_SERVER_MAX_BODY_BYTES": "1"],
            ["AMERON_SERVER_MAX_BODY_BYTES: server.maxBodyBytes: is set by AMERON_SERVER_MAXBODYBYTES too"]
        ),
        (
            ["AMERON_MODELS_2_NAME": "a"],
            ["AMERON_MODELS_2_NAME: models.2.name: skips a place: models has 1 entry, so the next index is 1"]
        ),
        (["AMERON_MODELS_1_NAME": "a"], ["AMERON_MODELS_1_NAME: models.1.url: is missing"]),
        (
            ["AMERON_PROVIDERS_KAFKA_GROUP": "a"],
            ["AMERON_PROVIDERS_KAFKA_GROUP: providers.kafka.brokers: is missing"]
        ),
        (["AMERON_REPORTING_SPOOL_PATH": ""], ["AMERON_REPORTING_SPOOL_PATH: reporting.spool.path: '' is empty"]),
        (
            ["AMERON_REPORTING_REPORTERS_0_TOPIC": "a"],
            [
                """
                AMERON_REPORTING_REPORTERS_0_TOPIC: reporting.reporters.0.topic: belongs to a Reporter of type kafka, \
                not to one of type file
                """
            ]
        ),
    ]) func ofTheEnvironment(_ environment: [String: String], _ messages: [String]) {
        #expect(problems(minimalYAML, environment: environment) == messages)
    }

    @Test(arguments: [
        ("servr.port", "1", "servr.port: unknown key; did you mean 'server.port'?"),
        ("models.N.url", "1", "models.N.url: unknown key; did you mean 'models.0.url'?"),
        ("models.0", "1", "models.0: takes no value itself, only its keys, such as models.0.name"),
        ("models", "1", "models: takes no value itself, only its keys, such as models.0.name"),
        ("server", "1", "server: takes no value itself, only its keys, such as server.host"),
        ("server.", "1", "server.: unknown key"),
        ("models.99999.url", "1", "models.99999.url: unknown key; did you mean 'models.0.url'?"),
        ("models.9.url", "1", "models.9.url: skips a place: models has 1 entry, so the next index is 1"),
        (
            "reporting.reporters.2.path", "1",
            "reporting.reporters.2.path: skips a place: reporting.reporters has 1 entry, so the next index is 1"
        ),
        ("providers.kafka.group", "a", "providers.kafka.brokers: is missing"),
        (
            "providers.kafka", "a",
            "providers.kafka: takes no value itself, only its keys, such as providers.kafka.brokers"
        ),
    ]) func ofFlags(_ key: String, _ value: String, _ message: String) {
        #expect(problems(minimalYAML, set: [(key, value)]) == ["--set: " + message])
    }

    @Test func modelFlagsMustDiffer() {
        #expect(
            problems(minimalYAML, models: ["iris=http://a/"])
                == ["--model: models.1.name: 'iris' is the name of models.0 too, with the same version"]
        )
        #expect(
            problems(minimalYAML, models: ["b:v3=http://a/"])
                == [
                    """
                    --model: models.1.protocol: 'v3' is not one of the words; allowed: native, v1, v2, raw; \
                    did you mean 'v1'?
                    """
                ]
        )
    }

    @Test(arguments: [nil, "", "# nothing", "models:", "models: []", "server: { port: 1 }"] as [String?])
    func aModelIsNeeded(_ yaml: String?) {
        #expect(
            problems(yaml)
                == [
                    """
                    \(yaml == nil ? "configuration" : "test.yaml"): models: at least one model is needed: by --model NAME=URL, \
                    or by `models:` in a file that --config names; --help shows an example
                    """
                ]
        )
    }

    @Test(arguments: [
        ("- a", "test.yaml:1: needs keys with values, written as 'key: value'"),
        ("text", "test.yaml:1: needs keys with values, written as 'key: value'"),
    ]) func theFileIsAMapping(_ yaml: String, _ message: String) {
        #expect(problems(yaml, models: ["a=http://a/"]) == [message])
    }

    @Test func yamlErrorsHaveAPlace() {
        #expect(
            problems("a: 1\na: 2")
                == [
                    """
                    test.yaml:2: not a YAML file that can be used: the key 'a' was given before, on line 1
                    """
                ]
        )
    }

    @Test func yamlErrorsAreFitToBePrinted() {
        #expect(problems("\"\\e[31m\": 1\n\"\\e[31m\": 2").allSatisfy { $0.contains("the key '\\u{1b}[31m' was") })
    }

    @Test func allProblemsAreToldInTheOrderOfTheirSources() {
        let yaml = "log: { level: loud }\nserver:\n  port: x\n  zebra: 1\nmodels: [{ name: a, url: 'http://a/' }]"
        let told = problems(
            yaml,
            environment: ["AMERON_ZEBRA": "1", "AMERON_SERVER_SHARDS": "x"],
            set: [("zebra", "1")]
        )
        #expect(
            told.map { String($0.prefix { $0 != " " }) }
                == ["test.yaml:1:", "test.yaml:3:", "test.yaml:4:", "AMERON_SERVER_SHARDS:", "AMERON_ZEBRA:", "--set:"]
        )
    }

    @Test func valuesAreFitToBePrinted() {
        let problem = ConfigurationError.Problem(
            .none,
            key: "k",
            value: "\u{1b}[31m\n\u{202e}" + String(repeating: "x", count: 200),
            "is bad"
        )
        #expect(
            problem.description
                == "configuration: k: '\\u{1b}[31m\\u{a}\\u{202e}" + String(repeating: "x", count: 93) + "…' is bad"
        )
    }
}
