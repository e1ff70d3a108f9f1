import Foundation
import TestSupport

/// A Model Service that answers when as many calls are in as the test has requests out: so how requests share the turns
/// of the Sidecar's loop depends on the load, and not on who is quicker.
final class SteadyModel: Sendable {
    private let service: FakeModelService
    private let meeting: Meeting

    init(_ answer: String) throws {
        let meeting = Meeting()
        self.meeting = meeting
        service = try FakeModelService { _ in
            meeting.arrive()
            return .json(answer)
        }
    }

    var url: String { service.url("/") }

    /// How many calls are waited for, from the next one on.
    func setParties(_ count: Int) { meeting.setParties(count) }

    // All under the condition's lock.
    private final class Meeting: @unchecked Sendable {
        private let condition = NSCondition()
        private var parties = 1
        private var arrived = 0
        private var round = 0

        func setParties(_ count: Int) { condition.withLock { parties = count } }

        func arrive() {
            condition.withLock {
                arrived += 1
                if arrived >= parties {
                    arrived = 0
                    round += 1
                    condition.broadcast()
                }
                let own = arrived == 0 ? -1 : round
                // A call may be missing for good: then the test sees an error and not silence.
                while own == round, condition.wait(until: Date(timeIntervalSinceNow: 20)) {}
            }
        }
    }
}

/// Clients that send one request each, at once, and then read all answers; again and again over the same connections.
final class SteadyLoad {
    private let connections: [HTTPConnection]
    private let wire: [UInt8]

    init(port: UInt16, connections count: Int, _ request: HTTPRequest) throws {
        connections = try (0..<count).map { _ in try HTTPConnection(port: port) }
        wire = request.wire
    }

    /// So many requests of each client; every answer must be 200.
    func run(rounds: Int) throws {
        for _ in 0..<rounds {
            for connection in connections { try connection.send(wire) }
            for connection in connections {
                let response = try connection.response()
                guard response.status == 200 else { throw TestFailure("\(response.status): \(response.text)") }
            }
        }
    }
}
