import Foundation
import TestSupport
import Testing

@testable import Gateway

/// A response from a public collection of tests: what the collection makes of it, and what ours does.
///
/// docs/decisions/0010-response-parser.md has all of them in a table, which a test compares with this one.
struct PublicCase: CustomTestStringConvertible, Sendable {
    enum Outcome: Equatable {
        /// The status and the body of the first final response; what follows does not count.
        case reads(Int, String)
        /// It does not end with its bytes.
        case cutOff
        case refuses

        init(_ seen: SeenResponse) {
            switch seen {
            case .complete(let status, let body, _, _): self = .reads(status, body)
            case .incomplete: self = .cutOff
            case .tooLarge, .malformed: self = .refuses
            }
        }

        var text: String {
            switch self {
            case .reads(let status, ""): "\(status), no body"
            case .reads(let status, let body): "\(status), \(body.utf8.count) bytes"
            case .cutOff: "cut off"
            case .refuses: "refused"
            }
        }
    }

    let name: String
    let response: String
    let theirs: Outcome
    let ours: Outcome
    /// Why ours differs, or what else there is to say.
    let why: String

    var testDescription: String { name }

    static func same(_ name: String, _ response: String, _ outcome: Outcome, _ note: String = "") -> PublicCase {
        PublicCase(name: name, response: response, theirs: outcome, ours: outcome, why: note)
    }

    static func differs(
        _ name: String,
        _ response: String,
        _ theirs: Outcome,
        ours: Outcome,
        _ why: String
    ) -> PublicCase {
        PublicCase(name: name, response: response, theirs: theirs, ours: ours, why: why)
    }
}

@Suite struct PublicCaseTests {
    private static let collections: [(name: String, cases: [PublicCase])] = [
        ("llhttp", llhttpCases), ("Go", goCases), ("web-platform-tests", webPlatformCases), ("h11", h11Cases),
    ]

    @Test(arguments: collections.flatMap(\.cases)) func isReadAsListed(_ publicCase: PublicCase) {
        let bytes = Array(publicCase.response.utf8)
        for pieces in [[Int.max], [1]] {
            #expect(PublicCase.Outcome(SeenResponse.read(bytes, pieces: pieces, closed: true)) == publicCase.ours)
        }
        #expect(ResponseParserCheck.violation(bytes) == nil)
        #expect(publicCase.theirs == publicCase.ours || !publicCase.why.isEmpty, "it differs for no reason")
    }

    @Test func areListedInTheDecision() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../..")
        let path = root.appending(path: "docs/decisions/0010-response-parser.md").standardizedFileURL.path
        let document = String(decoding: try #require(wholeFile(path)), as: UTF8.self)
        for collection in Self.collections {
            let rows = collection.cases.map { "| \($0.name) | \($0.theirs.text) | \($0.ours.text) | \($0.why) |\n" }
            let table = "| case of \(collection.name) | expected there | ours | |\n|---|---|---|---|\n" + rows.joined()
            let isThere = document.contains(table)
            #expect(isThere, "the table should be:\n\(table)")
        }
    }
}
