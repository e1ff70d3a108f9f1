import TestSupport
import Testing

@testable import Gateway

@Suite struct ConfigurationLoaderTests {
    @Test func defaultsStandWhereNothingIsSaid() throws {
        var want = Configuration()
        var model = Configuration.Model()
        model.name = "iris"
        model.url = "http://127.0.0.1:9090/predict"
        want.models = [model]
        #expect(try load(nil, models: ["iris=http://127.0.0.1:9090/predict"]) == want)
    }

    @Test func laterLayersWin() throws {
        let yaml = minimalYAML + "\nserver: { port: 1, shards: 1, maxInFlight: 1 }"
        let configuration = try load(
            yaml,
            environment: ["AMERON_SERVER_SHARDS": "2", "AMERON_SERVER_MAXINFLIGHT": "2"],
            set: [("server.maxInFlight", "3")]
        )
        #expect(configuration.server.port == 1)
        #expect(configuration.server.shards == 2)
        #expect(configuration.server.maxInFlight == 3)
        #expect(configuration.server.maxConnections == 20_000)
    }

    @Test func theLaterFlagWins() throws {
        #expect(try load(minimalYAML, set: [("server.port", "1"), ("server.port", "2")]).server.port == 2)
    }

    @Test func listsGrowFromEveryLayer() throws {
        let configuration = try load(
            minimalYAML,
            environment: [
                "AMERON_MODELS_0_TIMEOUT": "3s", "AMERON_MODELS_1_NAME": "b", "AMERON_MODELS_1_URL": "http://b/",
                "AMERON_REPORTING_REPORTERS_1_TYPE": "file", "AMERON_REPORTING_REPORTERS_1_PATH": "b.jsonl",
            ],
            models: ["c:v2=http://c/"],
            set: [("models.2.timeout", "4s"), ("models.3.name", "d"), ("models.3.url", "http://d/")]
        )
        #expect(configuration.models.map(\.name) == ["iris", "b", "c", "d"])
        #expect(configuration.models.map(\.timeout) == [.seconds(3), .seconds(2), .seconds(4), .seconds(2)])
        #expect(configuration.models.map(\.protocol) == [.native, .native, .v2, .native])
        #expect(configuration.reporting.reporters.count == 2)
    }

    @Test func environmentIndexesCountAsNumbers() throws {
        var environment: [String: String] = [:]
        for index in 0..<12 {
            environment["AMERON_MODELS_\(index)_NAME"] = "m\(index)"
            environment["AMERON_MODELS_\(index)_URL"] = "http://m/\(index)"
        }
        #expect(try load(nil, environment: environment).models.map(\.name) == (0..<12).map { "m\($0)" })
    }

    @Test func optionalValuesCanBeUnset() throws {
        let yaml = minimalYAML.replacing("name: iris", with: "name: iris\n    version: 1\n    caFile:")
        #expect(try load(yaml).models[0].version == "1")
        #expect(try load(yaml).models[0].caFile == nil)
        #expect(try load(yaml, environment: ["AMERON_MODELS_0_VERSION": ""]).models[0].version == nil)
    }

    @Test func emptySectionsAndListsAreNothing() throws {
        let yaml = "server:\nlog: {}\nreporting:\n  reporters:\nproviders: {}\nmodels: []"
        #expect(try load(yaml, models: ["a=http://a/"]).reporting.reporters.isEmpty)
    }

    @Test func sameNameWithAnotherVersionIsAnotherModel() throws {
        let yaml = "models: [{name: a, version: 1, url: 'http://a/'}, {name: a, version: 2, url: 'http://a/'}]"
        #expect(try load(yaml).models.count == 2)
    }

    @Test(arguments: [
        ("AMERON_SERVICE_HOST", "10.0.0.1"), ("AMERON_SERVICE_PORT", "80"), ("AMERON_SERVICE_PORT_HTTP", "80"),
        ("AMERON_PORT", "tcp://10.0.0.1:80"), ("AMERON_PORT_80_TCP", "tcp://10.0.0.1:80"),
        ("AMERON_PORT_80_TCP_PROTO", "tcp"), ("AMERON_PORT_80_TCP_PORT", "80"), ("AMERON_PORT_80_TCP_ADDR", "10.0.0.1"),
        ("AMERON_PORT_53_UDP", "udp://10.0.0.1:53"), ("AMERON_PORT_9_SCTP_ADDR", "10.0.0.1"),
        ("AMERON_SIDECAR_SERVICE_HOST", "10.0.0.1"), ("AMERON_SIDECAR_PORT_8080_TCP_ADDR", "10.0.0.1"),
        ("AMERON_SERVER_PORT", "tcp://10.0.0.1:80"), ("AMERON_CONFIG", ""), ("AMERONIA", "x"), ("PATH", "/bin"),
    ]) func ignoresVariablesThatAreNotForIt(_ name: String, _ value: String) throws {
        #expect(try load(minimalYAML, environment: [name: value]) == load(minimalYAML))
    }

    @Test(arguments: ["AMERON_PORT", "AMERON_PORT_80", "AMERON_PORT_TCP", "AMERON_PORT_X_TCP", "AMERON_HOST"])
    func doesNotIgnoreWhatOnlyLooksLikeThem(_ name: String) {
        #expect(problems(minimalYAML, environment: [name: "80"]).count == 1)
    }

    @Test func readsTheFileThatIsNamed() throws {
        #expect(throws: ConfigurationError.self) { try ConfigurationLoader(file: "/nonexistent.yaml").load() }
        let loaders = [
            ConfigurationLoader(file: "/nonexistent.yaml", environment: ["AMERON_CONFIG": "/other.yaml"]),
            ConfigurationLoader(environment: ["AMERON_CONFIG": "/nonexistent.yaml"]),
        ]
        for loader in loaders {
            do {
                _ = try loader.load()
                Issue.record("no error")
            } catch {
                #expect(error.description == "/nonexistent.yaml: cannot be read: No such file or directory")
            }
        }
        do {
            _ = try ConfigurationLoader(file: "/", environment: [:]).load()
            Issue.record("no error")
        } catch {
            #expect(error.description == "/: cannot be read: Is a directory")
        }
    }

    private static let sample =
        "/\(#filePath.split(separator: "/").dropLast(4).joined(separator: "/"))/ameron-sidecar.yaml"

    @Test func theSampleIsGood() throws {
        let configuration = try ConfigurationLoader(file: Self.sample, environment: [:]).load()
        #expect(configuration.models.map(\.name) == ["iris", "digits"])
        #expect(configuration.reporting.reporters.count == 1)
        #expect(configuration.providers.kafka == nil)
    }

    /// What the sample comments out can be taken as it stands, and is the default.
    @Test func theSampleShowsDefaults() throws {
        let lines = try #require(wholeFile(Self.sample).map { String(decoding: $0, as: UTF8.self) }).split(
            separator: "\n"
        )
        let text = lines.drop { $0 != "server:" }.map { line in
            let indent = line.prefix { $0 == " " }
            let rest = line.dropFirst(indent.count)
            return rest.hasPrefix("# ") ? indent + rest.dropFirst(2) : line
        }.joined(separator: "\n")
        let configuration = try load(
            text,
            environment: ["KAFKA_PASSWORD": "x"],
            set: [("reporting.reporters.2.headers.X-Api-Key", "y")]
        )
        // Each as often as there are keys of this name.
        let names = ConfigurationSchema.keys.filter { $0.members == nil }
            .map { $0.pattern.description.split(separator: ".").last ?? "" }
        for (name, keys) in Dictionary(grouping: names, by: \.self) {
            #expect(text.matches(of: try Regex("\\b\(name): ")).count >= keys.count, "\(name)")
        }

        #expect(configuration.server == .init())
        #expect(configuration.log == .init())
        var reporting = Configuration.Reporting()
        reporting.reporters = configuration.reporting.reporters
        #expect(configuration.reporting == reporting)

        let properties = ["security.protocol": "SASL_SSL", "sasl.password": "x"]
        var file = Configuration.Reporter.File()
        (file.path, file.common.name) = ("predictions.jsonl", "file")
        var kafka = Configuration.Reporter.Kafka()
        (kafka.brokers, kafka.properties) = ("127.0.0.1:9092", properties)
        var http = Configuration.Reporter.HTTP()
        (http.url, http.caFile) = ("http://127.0.0.1:8000/events", "/etc/ssl/my-authority.pem")
        http.headers = ["x-api-key": "y"]
        #expect(configuration.reporting.reporters == [.file(file), .kafka(kafka), .http(http)])

        var provider = Configuration.Providers.Kafka()
        (provider.brokers, provider.model, provider.properties) = ("127.0.0.1:9092", "iris", properties)
        #expect(configuration.providers.kafka == provider)
    }

    @Test(
        arguments: [
            ("iris=http://a/?x=1", "iris", nil, "http://a/?x=1"), ("iris:v2=http://a/", "iris", "v2", "http://a/"),
            ("a:b:raw=u", "a:b", "raw", "u"),
        ] as [(String, String, String?, String)]
    )
    func takesModelFlagsApart(_ text: String, _ name: String, _ word: String?, _ url: String) {
        #expect(ConfigurationFlags.Model(text: text) == .init(name: name, protocol: word, url: url))
    }

    @Test(arguments: ["", "iris", "=http://a/", "iris=", ":v2=http://a/", "iris:=http://a/"])
    func refusesModelFlags(_ text: String) { #expect(ConfigurationFlags.Model(text: text) == nil) }

    @Test func takesSettingFlagsApart() {
        #expect(ConfigurationFlags.Setting(text: "a.b=c=d") == .init(key: "a.b", value: "c=d", flag: "--set"))
        #expect(ConfigurationFlags.Setting(text: "a=") == .init(key: "a", value: "", flag: "--set"))
        #expect(ConfigurationFlags.Setting(text: "a") == nil)
        #expect(ConfigurationFlags.Setting(text: "=b") == nil)
    }
}
