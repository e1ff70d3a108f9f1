import Testing

@testable import Gateway

/// What is wrong with Reporters of the several types, word for word.
@Suite struct ConfigurationReporterErrorTests {
    private static let brokers = "; allowed: host[:port] joined by commas, IPv6 addresses in brackets"
    private static let topics = "; allowed: 1 to 249 of the characters a-z, A-Z, 0-9, '.', '_' and '-'"
    private static let urls = "; allowed: http://host[:port]/path or https://host[:port]/path"

    private func told(_ elements: String...) -> [String] {
        let yaml =
            "models: [{ name: a, url: 'http://a/' }]\nreporting: { reporters: [\(elements.joined(separator: ","))] }"
        let prefix = "test.yaml:2: reporting.reporters."
        return problems(yaml).map { $0.hasPrefix(prefix) ? String($0.dropFirst(prefix.count)) : $0 }
    }

    @Test(arguments: [
        ("{ type: kafka }", ["0.brokers: is missing"]),
        ("{ type: http }", ["0.url: is missing"]),
        ("{ type: file }", ["0.path: is missing"]),
        ("{}", ["0.type: is missing"]),
        ("{ failurePath: a }", ["0.type: is missing"]),
    ]) func namesWhatEachTypeNeeds(_ element: String, _ messages: [String]) {
        #expect(told(element) == messages)
    }

    /// Its value is not looked at, for it has none to be right about.
    @Test(arguments: [
        (
            "{ type: file, path: a, topic: '?' }",
            "0.topic: belongs to a Reporter of type kafka, not to one of type file"
        ),
        (
            "{ type: file, path: a, failurePath: b }",
            "0.failurePath: belongs to a Reporter of type kafka or http, not to one of type file"
        ),
        (
            "{ type: file, path: a, properties: { linger.ms: 1 } }",
            "0.properties.linger.ms: belongs to a Reporter of type kafka, not to one of type file"
        ),
        (
            "{ type: kafka, brokers: a, headers: { X-A: 1 } }",
            "0.headers.x-a: belongs to a Reporter of type http, not to one of type kafka"
        ),
        (
            "{ type: kafka, brokers: a, path: b }",
            "0.path: belongs to a Reporter of type file, not to one of type kafka"
        ),
        (
            "{ type: http, url: 'http://a', keep: 1 }",
            "0.keep: belongs to a Reporter of type file, not to one of type http"
        ),
    ]) func refusesKeysOfOtherTypes(_ element: String, _ message: String) {
        #expect(told(element) == [message])
    }

    @Test(arguments: [
        ("''", "is empty"), ("':9092'", "has no host"), ("'a,,b'", "has no host"), ("'a,'", "has no host"),
        ("a:0", "has a bad port; allowed: 1 to 65535"), ("a:65536", "has a bad port; allowed: 1 to 65535"),
        ("a:x", "has a bad port; allowed: 1 to 65535"), ("'a:'", "has a bad port; allowed: 1 to 65535"),
        ("'[::1'", "has a '[' without its ']'"), ("'::1'", "has no host"),
        ("'a b:1'", "has a host that is neither a name nor an IP address"),
        ("'[a]:1'", "has a host that is neither a name nor an IP address"),
    ]) func refusesBrokers(_ text: String, _ reason: String) {
        let value = text.replacing("'", with: "")
        #expect(told("{ type: kafka, brokers: \(text) }") == ["0.brokers: '\(value)' \(reason)\(Self.brokers)"])
    }

    @Test(arguments: ["a", "a:1", "127.0.0.1:9092", "a:1,b:2", "a:1, b:2", "[::1]:9092", "[fe80::1],a-b.c_d:65535"])
    func takesBrokers(_ text: String) { #expect(told("{ type: kafka, brokers: '\(text)' }").isEmpty) }

    @Test(arguments: [
        (".", "is not the name of a topic"), ("..", "is not the name of a topic"),
        ("a b", "holds a character that no name of a topic has"),
        ("ä", "holds a character that no name of a topic has"),
        ("a/b", "holds a character that no name of a topic has"),
        ("a*", "holds a character that no name of a topic has"),
    ]) func refusesTopics(_ text: String, _ reason: String) {
        let messages = told("{ type: kafka, brokers: a, topic: '\(text)' }")
        #expect(messages == ["0.topic: '\(text)' \(reason)\(Self.topics)"])
    }

    @Test func boundsTopics() {
        let name = String(repeating: "x", count: 249)
        #expect(told("{ type: kafka, brokers: a, topic: \(name) }").isEmpty)
        let messages = told("{ type: kafka, brokers: a, topic: \(name)x }")
        #expect(messages.count == 1 && messages.allSatisfy { $0.contains("is too long a name of a topic") })
        #expect(told("{ type: kafka, brokers: a, topic: ... }").isEmpty)
    }

    @Test(arguments: [
        ("http+unix://%2Fa/", "does not start with http:// or https://"),
        ("ftp://a/", "does not start with http:// or https://"), ("http:///x", "has no host"),
        ("http://a/#b", "holds a fragment ('#'), which is never sent"),
    ]) func refusesReceivers(_ url: String, _ reason: String) {
        #expect(told("{ type: http, url: '\(url)' }") == ["0.url: '\(url)' \(reason)\(Self.urls)"])
    }

    @Test(arguments: [
        ("maxBatchEvents: 0", "0.maxBatchEvents: '0' is out of range; allowed: 1 to 100000"),
        ("maxInFlight: 0", "0.maxInFlight: '0' is out of range; allowed: 1 to 1000"),
        ("timeout: 0s", "0.timeout: '0s' is out of range; allowed: 1ms to 24h"),
        ("maxAttempts: 0", "0.maxAttempts: '0' is out of range; allowed: 1 to 1000"),
        ("retryBackoff: 11s", "0.maxRetryBackoff: '10s' is shorter than retryBackoff, which is 11s"),
        ("maxRetryBackoff: 99ms", "0.maxRetryBackoff: '99ms' is shorter than retryBackoff, which is 100ms"),
        // The one that is refused is not compared.
        (
            "maxRetryBackoff: 1y, retryBackoff: 11s",
            "0.maxRetryBackoff: '1y' is not a duration; write a number with ms, s, m or h, such as 500ms or 1.5s; allowed: 1ms to 24h"
        ),
        ("mode: stream", "0.mode: 'stream' is not one of the words; allowed: binary, batch"),
    ]) func boundsTheValuesOfHTTP(_ keys: String, _ message: String) {
        #expect(told("{ type: http, url: 'http://a/', \(keys) }") == [message])
    }

    @Test(arguments: [
        ("'a b'", "holds a character that no name has"), ("a/b", "holds a character that no name has"),
        ("ä", "holds a character that no name has"), (".a", "does not begin with a letter or digit"),
        ("-a", "does not begin with a letter or digit"), (String(repeating: "x", count: 65), "is too long"),
    ]) func refusesNames(_ text: String, _ reason: String) {
        let value = text.replacing("'", with: "")
        let allowed = "1 to 64 of the characters a-z, A-Z, 0-9, '.', '_' and '-', the first a letter or digit"
        #expect(told("{ type: file, path: a, name: \(text) }") == ["0.name: '\(value)' \(reason); allowed: \(allowed)"])
    }

    /// A Reporter without a name is called by type and place.
    @Test func refusesOneNameForTwo() {
        let file = "{ type: file, path: a, name: http-2 }"
        #expect(told(file, "{ type: http, url: 'http://a/', name: b }", "{ type: http, url: 'http://b/' }").isEmpty)
        #expect(
            told(file, "{ type: http, url: 'http://a/' }")
                == ["1.name: 'http-2' is the name of reporting.reporters.0 too"]
        )
        #expect(
            told("{ type: file, path: a, name: x }", "{ type: file, path: b, name: x }")
                == ["1.name: 'x' is the name of reporting.reporters.0 too"]
        )
    }

    @Test func failuresHaveAFileOfTheirOwn() {
        let kafka = "{ type: kafka, brokers: a, failurePath: ./b }"
        let http = "{ type: http, url: 'http://a/', failurePath: b }"
        #expect(told(kafka, http).isEmpty)
        let clash = "is the file of reporting.reporters.2 too"
        #expect(
            told(kafka, http, "{ type: file, path: b }")
                == ["0.failurePath: './b' \(clash)", "1.failurePath: 'b' \(clash)"]
        )
    }
}
