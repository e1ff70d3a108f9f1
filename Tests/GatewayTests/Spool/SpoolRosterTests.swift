import Foundation
import TestSupport
import Testing

@testable import Gateway

/// Whom the spool remembers, and when that keeps it from being opened.
@Suite struct SpoolRosterTests {
    private let directory = SpoolDirectory()

    private func reporter(_ name: String, _ place: String, brokers: [String] = []) -> SpoolReporter {
        let type = brokers.isEmpty ? "http" : "kafka"
        return SpoolReporter(name: name, destination: .init(type: type, place: place, brokers: brokers))
    }

    private func open(_ reporters: [SpoolReporter]) throws -> Spool {
        try Spool.open(
            configuration: directory.configuration,
            laneCount: 1,
            reporters: reporters,
            log: directory.logs.log
        )
    }

    /// Stores an event that the last of these has not got, and dies.
    private func leaveEvent(_ reporters: [SpoolReporter]) throws {
        let spool = try open(reporters)
        spool.lane(0).submit(0..<1)
        for index in 0..<reporters.count - 1 { _ = SpoolReader(spool, reporter: index).takeAll() }
    }

    private var file: String { directory.configuration.path + "/reporters" }

    @Test func `what was written is read`() throws {
        let roster = SpoolRoster(of: [
            reporter("a", "http://a/?"), reporter("b-2", "topic", brokers: ["a:1", "b:2"]), reporter("ü", "p q/ü"),
        ])
        try roster.write(directory.directory.path, synced: true)
        #expect(try SpoolRoster.read(directory.directory.path) == roster)
        #expect(try SpoolRoster.read(directory.directory.path + "/missing").map(\.reporters) == [])
    }

    /// Whatever is lost or changed of it: it is damaged, or as it was, and never something else.
    @Test func `damage is seen`() throws {
        let roster = SpoolRoster(of: [reporter("a", "http://a/"), reporter("b", "topic", brokers: ["a:1"])])
        let path = directory.directory.path
        try roster.write(path, synced: false)
        let whole = try #require(wholeFile(path + "/reporters"))
        var random = SeededGenerator(seed: 1)
        for length in 0..<whole.count {
            try Data(whole[..<length]).write(to: URL(fileURLWithPath: path + "/reporters"))
            #expect(try SpoolRoster.read(path) == nil, "\(length) bytes")
            var changed = whole
            changed[length] = UInt8(random.below(256))
            try Data(changed).write(to: URL(fileURLWithPath: path + "/reporters"))
            let read = try SpoolRoster.read(path)
            #expect(read == nil || changed == whole, "byte \(length) is \(changed[length])")
        }
    }

    @Test(
        arguments: [
            ([], false),
            (["a:1", "b:2"], true), (["b:2", "a:1"], true), (["b:2", "c:3"], true), (["c:3"], false),
        ] as [([String], Bool)]
    ) func `brokers of one cluster may come and go`(brokers: [String], isSame: Bool) {
        let before = ReporterDestination(type: "kafka", place: "topic", brokers: ["a:1", "b:2"])
        #expect(ReporterDestination(type: "kafka", place: "topic", brokers: brokers).leads(whereDoes: before) == isSame)
        #expect(!ReporterDestination(type: "kafka", place: "other", brokers: brokers).leads(whereDoes: before))
    }

    @Test func `the configuration says where each Reporter leads`() throws {
        let yaml = """
            models: [{ name: a, url: 'http://a/' }]
            reporting:
              reporters:
                - { type: file, path: ./a//b.jsonl }
                - { type: kafka, brokers: "b:2, a:1", topic: t, name: k }
                - { type: http, url: "https://a/b?key=secret" }
            """
        let reporting = try load(yaml).reporting
        #expect(reporting.reporterNames == ["file", "k", "http-3"])
        #expect(
            reporting.reporters.map { "\($0.section.destination)" } == [
                "file a/b.jsonl", "kafka t at a:1,b:2", "http https://a/b",
            ]
        )
    }

    @Test func `a Reporter that leads elsewhere is refused while events wait for it`() throws {
        try leaveEvent([reporter("a", "http://a/"), reporter("b", "http://b/")])
        let error = #expect(throws: SpoolError.self) {
            try open([reporter("a", "http://a/"), reporter("b", "http://c/")])
        }
        let text = try #require(error?.description)
        #expect(text.contains("wait for Reporter b, which led to http http://b/, and now to http http://c/"), "\(text)")
        // Nothing of what waits was touched.
        let spool = try open([reporter("a", "http://d/"), reporter("b", "http://b/")])
        #expect(SpoolReader(spool, reporter: 0).takeAll() == [])
        #expect(SpoolReader(spool, reporter: 1).takeAll() == [0])
    }

    @Test func `one that is gone is refused while events wait for it`() throws {
        try leaveEvent([reporter("a", "http://a/"), reporter("b", "http://b/")])
        let error = #expect(throws: SpoolError.self) { try open([reporter("a", "http://a/")]) }
        #expect(error?.description.contains("Reporter b (http http://b/), and there is none of that name") == true)
        let spool = try open([reporter("b", "http://b/")])
        #expect(SpoolReader(spool).takeAll() == [0])
    }

    @Test func `without the file, or with a damaged one, names alone count`() throws {
        try leaveEvent([reporter("a", "http://a/"), reporter("b", "http://b/")])
        try FileManager.default.removeItem(atPath: file)
        do {
            let error = #expect(throws: SpoolError.self) { try open([reporter("a", "http://a/")]) }
            #expect(error?.description.contains("Reporter b, and there is none of that name") == true)
            let spool = try open([reporter("a", "http://a/"), reporter("b", "http://c/")])
            #expect(SpoolReader(spool, reporter: 1).readAll().map(\.number) == [0])
        }
        try Data("nonsense".utf8).write(to: URL(fileURLWithPath: file))
        let spool = try open([reporter("a", "http://a/"), reporter("b", "http://d/")])
        #expect(SpoolReader(spool, reporter: 1).takeAll() == [0])
        #expect(directory.logs.messages.contains { $0.contains("is damaged; their destinations are not compared") })
        #expect(try SpoolRoster.read(directory.configuration.path)?.reporters.count == 2)
    }

    /// Of an upgrade on a full disk, for one.
    @Test func `that it cannot be written keeps nobody from delivering`() throws {
        try leaveEvent([reporter("b", "http://b/")])
        try FileManager.default.createDirectory(atPath: file + ".new", withIntermediateDirectories: false)
        let spool = try open([reporter("b", "http://b/"), reporter("c", "http://c/")])
        #expect(SpoolReader(spool).takeAll() == [0])
        #expect(directory.logs.messages.contains { $0.contains("the spool does not remember the Reporters") })
        #expect(!FileManager.default.fileExists(atPath: file))
    }
}
