import Foundation
import TestSupport
import Testing

@testable import Gateway

@Suite struct FailureFileTests {
    private let directory = TemporaryDirectory()
    private let recorder = LogRecorder()

    private func makeFile(_ path: String, reporter: String = "kafka") -> FailureFile {
        FailureFile(path: path, reporter: reporter, log: recorder.log)
    }

    private func append(_ number: Int, to file: FailureFile, fill: Int = 0) {
        let event = #"{"id":"event-\#(number)","fill":"\#(String(repeating: "x", count: fill))"}"# + "\n"
        Array(event.utf8).withByteView { file.append($0, cause: "TOO_LARGE", message: "it is \"too\" large") }
    }

    @Test func `a line tells the event, the cause and the time`() throws {
        let file = makeFile(directory.file("failed.jsonl"))
        #expect(!FileManager.default.fileExists(atPath: directory.file("failed.jsonl")))
        file.flush()
        #expect(!FileManager.default.fileExists(atPath: directory.file("failed.jsonl")))
        append(1, to: file)
        append(2, to: file)
        file.flush()
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
            files[number % 3].flush()
        }
        let lines = try directory.lines(of: "failed.jsonl").map { try FailureLine.parse($0) }
        #expect(lines.map(\.event.id) == (0..<30).map { "event-\($0)" })
        #expect(Set(lines.map(\.reporter)).count == 3)
    }

    @Test func `the file is bounded`() throws {
        let file = makeFile(directory.file("failed.jsonl"))
        // 200 MiB altogether.
        for number in 0..<200 { append(number, to: file, fill: 1 << 20) }
        file.flush()
        let sizes = try FileManager.default.contentsOfDirectory(atPath: directory.path).map {
            try FileManager.default.attributesOfItem(atPath: directory.file($0))[.size] as? Int ?? 0
        }
        #expect(sizes.count == 2)
        #expect(sizes.allSatisfy { $0 <= 64 << 20 && $0 > 60 << 20 || $0 < 64 << 20 })
    }

    @Test func `a file that cannot be written is told of once`() throws {
        let path = directory.file("missing/failed.jsonl")
        let file = makeFile(path)
        for number in 0..<5 {
            append(number, to: file)
            file.flush()
        }
        #expect(recorder.messages.count == 1)
        #expect(recorder.messages[0].contains("the directory \(directory.file("missing")) does not exist"))
        try FileManager.default.createDirectory(atPath: directory.file("missing"), withIntermediateDirectories: false)
        append(5, to: file)
        file.flush()
        #expect(directory.lines(of: "missing/failed.jsonl").count == 1)
        #expect(recorder.messages.count == 2)
        #expect(recorder.messages[1].contains("can be written to again"))
    }

    @Test func `a full disk is told of once`() throws {
        let file = makeFile("/dev/full")
        for number in 0..<5 {
            append(number, to: file)
            file.flush()
        }
        #expect(recorder.messages.count == 1)
        #expect(recorder.messages[0].contains("cannot write to /dev/full"))
    }

    @Test func `a file moved away is made anew on request`() throws {
        let file = makeFile(directory.file("failed.jsonl"))
        append(1, to: file)
        file.flush()
        try FileManager.default.moveItem(atPath: directory.file("failed.jsonl"), toPath: directory.file("moved"))
        file.reopen()
        append(2, to: file)
        file.flush()
        #expect(directory.lines(of: "failed.jsonl").count == 1)
        #expect(directory.lines(of: "moved").count == 1)
    }
}
