import Foundation
import TestSupport
import Testing

@testable import Gateway

@Suite struct FailureFileTests {
    private let directory = TemporaryDirectory()
    private let recorder = LogRecorder()

    private func makeFile(
        _ path: String,
        reporter: String = "kafka",
        keeping: FailureFile.Keeping = .bestEffort,
        maxBytes: Int = FailureFile.maxBytes
    ) -> FailureFile {
        FailureFile(path: path, reporter: reporter, keeping: keeping, maxBytes: maxBytes, log: recorder.log)
    }

    private func append(_ number: Int, to file: FailureFile, fill: Int = 0) {
        let event = #"{"id":"event-\#(number)","fill":"\#(String(repeating: "x", count: fill))"}"# + "\n"
        Array(event.utf8).withByteView { file.append($0, cause: "TOO_LARGE", message: "it is \"too\" large") }
    }

    @Test func `a line tells the event, the cause and the time`() throws {
        let file = makeFile(directory.file("failed.jsonl"))
        #expect(!FileManager.default.fileExists(atPath: directory.file("failed.jsonl")))
        #expect(file.flush() == 0)
        #expect(!FileManager.default.fileExists(atPath: directory.file("failed.jsonl")))
        append(1, to: file)
        append(2, to: file)
        #expect(file.flush() == 2)
        let lines = directory.lines(of: "failed.jsonl")
        #expect(lines.count == 2)
        let line = try FailureLine.parse(try #require(lines.first))
        #expect(line.reporter == "kafka")
        #expect(line.cause == "TOO_LARGE")
        #expect(line.message == "it is \"too\" large")
        #expect(line.failedAt.hasSuffix("Z") && line.failedAt.utf8.count == 27)
        #expect(line.event.id == "event-1")
        #expect(recorder.messages.isEmpty)
    }

    @Test func `several Reporters share a file`() throws {
        let files = (0..<3).map { makeFile(directory.file("failed.jsonl"), reporter: "reporter-\($0)") }
        for number in 0..<30 {
            append(number, to: files[number % 3])
            #expect(files[number % 3].flush() == 1)
        }
        let lines = try directory.lines(of: "failed.jsonl").map { try FailureLine.parse($0) }
        #expect(lines.map(\.event.id) == (0..<30).map { "event-\($0)" })
        #expect(Set(lines.map(\.reporter)).count == 3)
    }

    @Test func `under best effort the file is bounded, and counts what it gives up`() throws {
        let file = makeFile(directory.file("failed.jsonl"))
        // 200 MiB altogether.
        for number in 0..<200 {
            append(number, to: file, fill: 1 << 20)
            #expect(file.flush() == 1)
        }
        let left = directory.lines(of: "failed.jsonl").count + directory.lines(of: "failed.jsonl.1").count
        #expect(left + file.lost == 200)
        #expect(file.lost > 60)
        let sizes = try FileManager.default.contentsOfDirectory(atPath: directory.path).map {
            try FileManager.default.attributesOfItem(atPath: directory.file($0))[.size] as? Int ?? 0
        }
        // The present file and its one predecessor.
        #expect(sizes.count == 2)
        #expect(sizes.allSatisfy { $0 <= 64 << 20 })
    }

    @Test func `under at-least-once a full file takes nothing more until its predecessor is moved away`() throws {
        let file = makeFile(directory.file("failed.jsonl"), keeping: .everything(synced: false), maxBytes: 10_000)
        var number = 0
        var settled = 0
        while settled == number, number < 100 {
            append(number, to: file, fill: 1_000)
            number += 1
            settled += file.flush()
        }
        #expect(number > 15 && number < 20)
        append(number, to: file, fill: 1_000)
        number += 1
        #expect(file.flush() == 0)
        #expect(recorder.messages.count == 1, "\(recorder.messages)")
        #expect(recorder.messages[0].contains("move \(directory.file("failed.jsonl")).1 away"))
        try FileManager.default.moveItem(
            atPath: directory.file("failed.jsonl.1"),
            toPath: directory.file("kept.jsonl")
        )
        #expect(file.flush() == 2)
        #expect(recorder.messages.count == 2)
        #expect(file.lost == 0)
        let lines = ["kept.jsonl", "failed.jsonl.1", "failed.jsonl"].flatMap { directory.lines(of: $0) }
        #expect(try lines.map { try FailureLine.parse($0).event.id } == (0..<number).map { "event-\($0)" })
    }

    @Test func `under at-least-once what cannot be written is kept`() throws {
        let path = directory.file("missing/failed.jsonl")
        let file = makeFile(path, keeping: .everything(synced: true))
        for number in 0..<5 {
            append(number, to: file)
            #expect(file.flush() == 0)
        }
        #expect(recorder.messages.count == 1)
        try FileManager.default.createDirectory(atPath: directory.file("missing"), withIntermediateDirectories: false)
        append(5, to: file)
        #expect(file.flush() == 6)
        #expect(
            try directory.lines(of: "missing/failed.jsonl").map { try FailureLine.parse($0).event.id }
                == (0..<6).map { "event-\($0)" }
        )
        #expect(file.lost == 0)
    }

    /// A limit on the size of files stands for a full disk: some lines fit, the next one in part.
    @Test func `of a write that stops half way the whole lines are settled`() throws {
        let file = makeFile(directory.file("failed.jsonl"), keeping: .everything(synced: true))
        // Larger than what other tests write meanwhile: the limit is the process's.
        try withFileSizeLimit(72 << 20) {
            for number in 0..<12 { append(number, to: file, fill: 8 << 20) }
            #expect(file.flush() == 8)
            #expect(recorder.messages.count == 1, "\(recorder.messages)")
        }
        #expect(file.flush() == 4)
        let lines = ["failed.jsonl.1", "failed.jsonl"].flatMap { directory.lines(of: $0) }
        let ids = lines.compactMap { try? FailureLine.parse($0).event.id }
        #expect(ids == (0..<12).map { "event-\($0)" })
    }

    @Test func `a file that is removed is made anew, and nothing is written into the old one`() throws {
        let file = makeFile(directory.file("failed.jsonl"), keeping: .everything(synced: true))
        append(1, to: file)
        #expect(file.flush() == 1)
        try FileManager.default.removeItem(atPath: directory.file("failed.jsonl"))
        append(2, to: file)
        #expect(file.flush() == 1)
        #expect(directory.lines(of: "failed.jsonl").count == 1)
    }

    @Test func `a file that cannot be written is told of once`() throws {
        let path = directory.file("missing/failed.jsonl")
        let file = makeFile(path)
        for number in 0..<5 {
            append(number, to: file)
            #expect(file.flush() == 1)
        }
        #expect(file.lost == 5)
        #expect(recorder.messages.count == 1)
        #expect(recorder.messages[0].contains("the directory \(directory.file("missing")) does not exist"))
        try FileManager.default.createDirectory(atPath: directory.file("missing"), withIntermediateDirectories: false)
        append(5, to: file)
        #expect(file.flush() == 1)
        #expect(directory.lines(of: "missing/failed.jsonl").count == 1)
        #expect(recorder.messages.count == 2)
        #expect(recorder.messages[1].contains("can be written to again"))
    }

    @Test func `a full disk is told of once`() throws {
        let file = makeFile("/dev/full")
        for number in 0..<5 {
            append(number, to: file)
            #expect(file.flush() == 1)
        }
        #expect(file.lost == 5)
        #expect(recorder.messages.count == 1)
        #expect(recorder.messages[0].contains("cannot write to /dev/full"))
    }

    @Test func `a file moved away is made anew on request`() throws {
        let file = makeFile(directory.file("failed.jsonl"))
        append(1, to: file)
        #expect(file.flush() == 1)
        try FileManager.default.moveItem(atPath: directory.file("failed.jsonl"), toPath: directory.file("moved"))
        file.reopen()
        append(2, to: file)
        #expect(file.flush() == 1)
        #expect(directory.lines(of: "failed.jsonl").count == 1)
        #expect(directory.lines(of: "moved").count == 1)
    }
}
