import Foundation
import TestSupport
import Testing

extension BudgetTests {
    /// How often a request asks for memory, once everything that is kept for the next one is there.
    @Suite struct Allocations {
        private static let clients = 16
        private static let rounds = 100

        @Test(arguments: Case.allCases) func perRequest(_ steady: Case) throws {
            let tools = try #require(Budget.tools)
            var table = ""
            let rig = try Rig(
                steady,
                environment: {
                    table = $0.file("allocations")
                    return AllocationTable.environment(tools: tools, table: table)
                }
            )
            // Pools fill, and every connection to the Model Service is opened.
            try rig.run(clients: Self.clients, rounds: 40)
            let before = try AllocationTable(table)
            try rig.run(clients: Self.clients, rounds: Self.rounds)
            let after = try AllocationTable(table)
            #expect(after.lost == 0)
            let requests = Self.clients * Self.rounds
            var byOwner = ["own": [AllocationTable.Site]()]
            for site in after.since(before) { byOwner[after.owner(of: site), default: []].append(site) }
            for (owner, sites) in byOwner.sorted(by: { $0.key < $1.key }) {
                let count = Double(sites.reduce(0) { $0 + $1.count }) / Double(requests)
                Budget.expect("allocations/\(steady.rawValue)/\(owner)", count) {
                    after.describe(sites, requests: requests)
                }
            }
            #expect(rig.sidecar.stop() == .code(0))
        }
    }
}
