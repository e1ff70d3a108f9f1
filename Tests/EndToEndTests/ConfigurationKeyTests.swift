import Foundation
import Gateway
import TestSupport
import Testing

/// That each key does something: the table names the test that shows what a key changes.
@Suite("Every key") struct ConfigurationKeyTests {
    /// Key to file and function. A key of several types of Reporter has several tests.
    static let tests: [String: [String]] = [
        "server.host": ["ServerKeyTests.hostIsWhereItListens"],
        "server.port": ["CommandLineTests.tellsThatThePortIsTaken"],
        "server.shards": ["ServerKeyTests.shardsAreThreads"],
        "server.maxBodyBytes": ["CommandLineTests.environmentComesBeforeTheFile"],
        "server.maxHeaderBytes": ["ServerKeyTests.maxHeaderBytesBoundsTheHeader"],
        "server.maxConnections": ["ServerKeyTests.maxConnectionsLetsNoMoreIn"],
        "server.maxInFlight": ["LimitTests.refusesWhatIsTooMuchInFlight"],
        "server.maxInFlightBytes": ["BodyMemoryTests.isBounded"],
        "server.headTimeout": ["SlowClientTests.theHeaderHasItsTime"],
        "server.bodyTimeout": ["SlowClientTests.theBodyMustGoOn", "SlowClientTests.theAnswerMustBeRead"],
        "server.idleTimeout": ["LimitTests.closesIdleConnections"],
        "server.drainTimeout": ["LifeCycleTests.doesNotDrainForEver"],
        "server.allowedHosts": ["BrowserTests.isKnownByTheNamesThatAreConfigured"],
        "models.N.name": ["RouteTests.callsTheModel"],
        "models.N.version": ["RouteTests.callsTheModel", "PredictionTests.takeNoVersionFromNowhere"],
        "models.N.protocol": ["PredictionTests.reachClientAndEvents"],
        "models.N.url": ["ModelConnectionTests.keepsTheUrlsQuery"],
        "models.N.timeout": ["ServerKeyTests.timeoutIsEachModelsOwn"],
        "models.N.maxConnections": ["ModelConnectionTests.boundsConnections"],
        "models.N.maxResponseBytes": ["ModelFaultTests.isTold"],
        "models.N.stream": ["StreamTests.dependsOnTheTypeAndTheRule"],
        "models.N.idleTimeout": ["StreamTests.saysThatItBrokeOff"],
        "models.N.maxStreamTime": ["StreamTests.saysThatItBrokeOff"],
        "models.N.maxStreamBufferBytes": ["StreamTests.waitsForASlowClient"],
        "models.N.keepAlive": ["ModelConnectionTests.closesWhatIsIdleForTooLong"],
        "models.N.repeatable": [
            "RepetitionTests.asksAModelThatDiesAtWorkOnce",
            "ModelConnectionTests.triesAgainOnceWhereTheModelDoesNotMind",
        ],
        "models.N.retry.attempts": ["RetryTests.asksAgain"],
        "models.N.retry.on": ["RetryTests.asksAgain", "RetryTests.asksOnce"],
        "models.N.retry.budget": ["RetryTests.hasABudget"],
        "models.N.maxPredictions": ["RecordBoundTests.splitsNoMoreThanIsAllowed"],
        "models.N.healthUrl": ["HealthTests.asksWhereTheConfigurationSays"],
        "models.N.transport": ["ServerKeyTests.transportIsWhatCarriesTheCalls"],
        "models.N.caFile": ["TLSTests.trustsTheConfiguredAuthority", "TLSTests.doesNotTrustAnyOther"],
        "reporting.delivery": ["SpoolTests.keepsWhatCannotBeDelivered"],
        "reporting.capture": [
            "CaptureTests.keepsJSON", "CaptureTests.isNotTheDefault", "CaptureTests.keepsEachRowsInput",
        ],
        "reporting.maxCaptureBytes": ["CaptureTests.cuts"],
        "reporting.maxEventBytes": ["RecordBoundTests.leavesOutWhatMakesAnEventTooLong"],
        "reporting.maxQueueBytes": ["ReporterKeyTests.theQueueHoldsSoMuch"],
        "reporting.spool.path": ["SpoolTests.saysWhyItCannotStart", "SpoolTests.isNotSharedWithAnother"],
        "reporting.spool.maxBytes": ["SpoolTests.refusesRequestsWhenItIsFull"],
        "reporting.spool.fsync": ["ServerKeyTests.fsyncIsWhenTheSpoolIsSynced"],
        "reporting.spool.fsyncInterval": ["ServerKeyTests.fsyncIsWhenTheSpoolIsSynced"],
        "reporting.spool.whenFull": ["SpoolTests.dropsTheOldestWhenItIsFull"],
        "reporting.reporters.N.type": [
            "LifeCycleTests.reopensItsFile", "ReporterKeyTests.httpSendsToTheUrlInItsModeWithItsHeaders",
            "ReporterKeyTests.kafkaProducesToItsTopicByItsKey",
        ],
        "reporting.reporters.N.name": ["ReporterKeyTests.nameIsWhatItIsCalled"],
        "reporting.reporters.N.path": ["LifeCycleTests.reopensItsFile"],
        "reporting.reporters.N.maxBytes": ["LifeCycleTests.rotatesItsFile"],
        "reporting.reporters.N.keep": ["ServerKeyTests.keepIsHowManyRotatedFilesThereAre"],
        "reporting.reporters.N.brokers": ["ReporterKeyTests.kafkaProducesToItsTopicByItsKey"],
        "reporting.reporters.N.topic": ["ReporterKeyTests.kafkaProducesToItsTopicByItsKey"],
        "reporting.reporters.N.key": ["ReporterKeyTests.kafkaProducesToItsTopicByItsKey"],
        "reporting.reporters.N.properties.NAME": ["ReporterKeyTests.kafkaPassesPropertiesOnAndKeepsWhatIsRefused"],
        "reporting.reporters.N.url": ["ReporterKeyTests.httpSendsToTheUrlInItsModeWithItsHeaders"],
        "reporting.reporters.N.mode": ["ReporterKeyTests.httpSendsToTheUrlInItsModeWithItsHeaders"],
        "reporting.reporters.N.maxBatchEvents": ["ReporterKeyTests.httpBoundsItsBatchesAndItsRequests"],
        "reporting.reporters.N.maxInFlight": ["ReporterKeyTests.httpBoundsItsBatchesAndItsRequests"],
        "reporting.reporters.N.timeout": ["ReporterKeyTests.httpTriesSoOftenForSoLong"],
        "reporting.reporters.N.maxAttempts": ["ReporterKeyTests.httpTriesSoOftenForSoLong"],
        "reporting.reporters.N.retryBackoff": ["ReporterKeyTests.httpWaitsBeforeItRepeats"],
        "reporting.reporters.N.maxRetryBackoff": ["ReporterKeyTests.httpNeverWaitsLonger"],
        "reporting.reporters.N.maxRetryAfter": ["ReporterKeyTests.httpWaitsAsLongAsItIsAskedToButNoLonger"],
        "reporting.reporters.N.caFile": ["ReporterKeyTests.httpTrustsTheAuthority"],
        "reporting.reporters.N.headers.NAME": ["ReporterKeyTests.httpSendsToTheUrlInItsModeWithItsHeaders"],
        "reporting.reporters.N.failurePath": [
            "ReporterKeyTests.httpKeepsWhatIsRefused", "ReporterKeyTests.kafkaPassesPropertiesOnAndKeepsWhatIsRefused",
        ],
        "providers.kafka.brokers": ["KafkaProviderTests.answers"],
        "providers.kafka.group": ["KafkaFlowTests.answersAllAcrossARestart"],
        "providers.kafka.requestTopic": ["KafkaProviderTests.answers"],
        "providers.kafka.replyTopic": ["KafkaProviderTests.answers"],
        "providers.kafka.deadLetterTopic": ["KafkaProviderTests.answers"],
        "providers.kafka.allowedReplyTopics": ["KafkaProviderTests.answers"],
        "providers.kafka.model": ["KafkaKeyTests.requestsThatSayNothingGoToTheModelInTheFaceWithinTheBytes"],
        "providers.kafka.face": ["KafkaKeyTests.requestsThatSayNothingGoToTheModelInTheFaceWithinTheBytes"],
        "providers.kafka.keyOrder": ["KafkaKeyTests.theNextOfAKeyWaitsForTheBroker"],
        "providers.kafka.consumers": ["KafkaKeyTests.aMemberOfTheGroupRunsOnSoManyShards"],
        "providers.kafka.maxInFlight": ["KafkaFlowTests.keepsTheOrderOfKeysAndItsLimits"],
        "providers.kafka.maxInFlightBytes": [
            "KafkaKeyTests.requestsThatSayNothingGoToTheModelInTheFaceWithinTheBytes"
        ],
        "providers.kafka.maxAttempts": ["KafkaProviderTests.answers"],
        "providers.kafka.retryBackoff": ["KafkaKeyTests.waitsBeforeItRepeats"],
        "providers.kafka.maxRetryBackoff": ["KafkaKeyTests.neverWaitsLonger"],
        "providers.kafka.properties.NAME": [
            "KafkaProviderTests.answers", "KafkaFlowTests.doesNotStartWithASettingThatIsNone",
        ],
        "ui.enabled": ["PageTests.canBeOff"],
        "ui.showsRequests": ["PageTests.showsRequestsWhenAllowed"],
        "log.level": ["LogTests.levelIsTheLeastImportantThatIsLogged"],
        "log.format": ["LogTests.formatIsWhatALineLooksLike"],
    ]

    /// A new key needs a test of the real program that shows what it changes, and a line in the table above.
    @Test(arguments: Set(ConfigurationSchema.keys.map(\.path)).union(tests.keys).sorted())
    func everyKeyHasATest(_ key: String) throws {
        let isKey = ConfigurationSchema.keys.contains { $0.path == key }
        #expect(isKey, "there is no such key")
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        for test in try #require(Self.tests[key], "no test shows what this key changes") {
            let parts = test.split(separator: ".")
            let text = try String(contentsOf: folder.appending(path: "\(parts[0]).swift"), encoding: .utf8)
            // From one test to the next: the attribute may stand lines above the function.
            let isTest = text.components(separatedBy: "@Test").dropFirst().contains {
                $0.firstMatch(of: #/func (\w+)/#)?.output.1 == parts[1]
            }
            #expect(isTest, "\(test) is not there")
        }
    }

    @Test func theCommandPrintsTheReference() throws {
        let root = URL(fileURLWithPath: #filePath).appending(path: "../../..").standardized
        let file = try String(contentsOf: root.appending(path: "docs/configuration.md"), encoding: .utf8)
        let (status, output, _) = try SidecarProcess.run(["configuration"])
        #expect(status == .code(0))
        #expect(output == file)
    }

    /// What GatewayTests show of every key, to the exit code of the program.
    @Test(arguments: [
        (["--port", "70000"], [:], "--port: server.port: '70000' is out of range; allowed: 0 to 65535"),
        (["--set", "server.prot=1"], [:], "--set: server.prot: unknown key; did you mean 'server.port'?"),
        (
            [], ["AMERON_SERVER_PORT": "x"],
            "AMERON_SERVER_PORT: server.port: 'x' is not a whole number; allowed: 0 to 65535"
        ),
        (
            [], ["AMERON_SERVER_PROT": "1"],
            "AMERON_SERVER_PROT: unknown environment variable; did you mean 'AMERON_SERVER_PORT'?"
        ),
    ]) func mistakesEndItWith78(_ options: [String], _ environment: [String: String], _ message: String) throws {
        let model = ["--model", "iris=http://127.0.0.1:9/"]
        for command in ["validate", "serve"] {
            let result = try SidecarProcess.run([command] + model + options, environment: environment)
            #expect(result.status == .code(78))
            #expect(result.error == message + "\n")
        }
    }

    @Test func mistakesInTheFileEndItWith78() throws {
        let directory = TemporaryDirectory()
        let path = try directory.write("models: [{ name: a, url: 'http://a/' }]\nserver:\n  port: x\n", to: "a.yaml")
        let result = try SidecarProcess.run(["validate", "--config", path])
        #expect(result.status == .code(78))
        #expect(result.error == "\(path):3:3: server.port: 'x' is not a whole number; allowed: 0 to 65535\n")
    }
}
