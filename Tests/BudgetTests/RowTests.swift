import Foundation
import TestSupport
import Testing

extension BudgetTests {
    /// What one more event costs when a V2 answer has many rows.
    @Suite struct Rows {
        private static let many = 1_000

        /// Instructions, by callgrind: whole runs of the Sidecar, all threads, that differ in the answer's rows only.
        @Test func instructions() throws {
            let tools = try #require(Budget.tools)
            let answers = 20
            let few = try Self.instructions(rows: 1, answers: answers, tools)
            let many = try Self.instructions(rows: Self.many, answers: answers, tools)
            Budget.expect("instructions/v2-row", Double(many - few) / Double(answers * (Self.many - 1)))
        }

        private static func instructions(rows: Int, answers: Int, _ tools: String) throws -> Int {
            var file = ""
            let rig = try Rig(
                .restFileV2,
                answer: Case.v2(rows: rows),
                through: { directory in
                    file = directory.file("callgrind")
                    return [
                        "/usr/bin/valgrind", "--tool=callgrind", "--callgrind-out-file=\(file)",
                        // Its own copy: valgrind cannot read the debugging information that Swift writes.
                        "\(tools)/ameron-sidecar",
                    ]
                }
            )
            try rig.run(clients: 1, rounds: answers)
            guard rig.sidecar.stop() == .code(0) else { throw TestFailure(rig.sidecar.process.standardErrorTail) }
            let text = String(decoding: wholeFile(file) ?? [], as: UTF8.self)
            guard let match = text.firstMatch(of: #/\ntotals: (\d+)/#), let count = Int(match.output.1) else {
                throw TestFailure("callgrind counted nothing: \(rig.sidecar.process.standardErrorTail)")
            }
            return count
        }

        /// Time on the processor, by the scheduler's own account: said, and not held to anything.
        @Test func time() throws {
            let answers = 50
            func seconds(rows: Int) throws -> (shard: Double, all: Double) {
                let rig = try Rig(.restFileV2, answer: Case.v2(rows: rows))
                try rig.run(clients: 1, rounds: 20)
                let before = Self.nanoseconds(rig.sidecar.process.id)
                try rig.run(clients: 1, rounds: answers)
                let after = Self.nanoseconds(rig.sidecar.process.id)
                return (after.shard - before.shard, after.all - before.all)
            }
            let few = try seconds(rows: 1)
            let many = try seconds(rows: Self.many)
            let events = Double(answers * (Self.many - 1))
            func text(_ nanoseconds: Double) -> String { String(format: "%.2f µs", nanoseconds / events / 1000) }
            Budget.tell(
                "time/v2-row",
                "\(text(many.shard - few.shard)) on the shard (decode, encode), \(text(many.all - few.all)) with the writing"
            )
        }

        private static func nanoseconds(_ process: pid_t) -> (shard: Double, all: Double) {
            var result = (shard: 0.0, all: 0.0)
            let tasks = "/proc/\(process)/task"
            for task in (try? FileManager.default.contentsOfDirectory(atPath: tasks)) ?? [] {
                func read(_ name: String) -> String {
                    (try? String(contentsOfFile: "\(tasks)/\(task)/\(name)", encoding: .utf8)) ?? ""
                }
                let spent = read("schedstat").split(separator: " ").first.flatMap { Double($0) } ?? 0
                result.all += spent
                if read("comm").hasPrefix("shard") { result.shard += spent }
            }
            return result
        }
    }
}
