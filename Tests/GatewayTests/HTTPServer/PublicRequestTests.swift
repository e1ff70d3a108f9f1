import Foundation
import TestSupport
import Testing

@testable import Gateway

/// Requests from a public collection of tests or attacks: what the collection makes of them, and what ours does.
///
/// They stand in `Tests/requests`, one a line, where `make interop` reads them too. docs/decisions/0012-request-reader.md has all
/// of them in a table, which a test compares with this.
struct PublicRequest: CustomTestStringConvertible, Sendable {
    let name: String
    /// Several where one byte takes several values.
    let inputs: [[UInt8]]
    /// Methods and lengths of the bodies of the requests, and `refused` or `cut off` where the bytes do not end with one.
    let theirs: String
    /// With the status in the place of `refused`.
    let ours: String
    /// Why ours differs, or what else there is to say.
    let why: String

    var testDescription: String { name }

    static let collections = [
        "llhttp", "go", "h11", "web-platform-tests", "http-garden", "smuggler", "advisories", "libmicrohttpd",
    ]

    static func read(_ collection: String) throws -> [PublicRequest] {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../requests")
        let path = folder.appending(path: "\(collection).json").standardizedFileURL.path
        guard let bytes = wholeFile(path),
            let cases = try JSONSerialization.jsonObject(with: Data(bytes)) as? [[String: Any]]
        else { throw TestFailure("cannot read \(path)") }
        return try cases.map(PublicRequest.init)
    }

    private init(_ object: [String: Any]) throws {
        guard let name = object["name"] as? String, let theirs = object["theirs"] as? String,
            let ours = object["ours"] as? String, let why = object["why"] as? String, let parts = object["bytes"]
        else { throw TestFailure("a case lacks something: \(object)") }
        let each = object["each"] as? String
        self.name = name + (each ?? "")
        self.theirs = theirs
        self.ours = ours
        self.why = why
        inputs = try Self.values(each).map { try Self.bytes(parts, $0) }
    }

    /// `00,20-2f`; nil: there is nothing that changes.
    private static func values(_ each: String?) -> [UInt8] {
        guard let each else { return [0] }
        return each.split(separator: ",").flatMap { range -> [UInt8] in
            let ends = range.split(separator: "-").compactMap { UInt8($0, radix: 16) }
            return Array(ends[0]...ends[ends.count - 1])
        }
    }

    /// Text whose characters are bytes; or parts: text, text and how often it stands there, null for what changes.
    private static func bytes(_ parts: Any, _ value: UInt8) throws -> [UInt8] {
        if let text = parts as? String { return text.unicodeScalars.map { UInt8($0.value) } }
        guard let list = parts as? [Any] else { throw TestFailure("no bytes: \(parts)") }
        return try list.flatMap { part -> [UInt8] in
            if part is NSNull { return [value] }
            guard let pair = part as? [Any] else { return try bytes(part, value) }
            return try Array(repeatElement(bytes(pair[0], value), count: pair[1] as? Int ?? 0).joined())
        }
    }
}

@Suite("Public requests") struct PublicRequestTests {
    @Test(arguments: PublicRequest.collections) func areReadAsListed(_ collection: String) throws {
        let cases = try PublicRequest.read(collection)
        #expect(cases.count > 20)
        for publicCase in cases {
            for bytes in publicCase.inputs {
                for pieces in [bytes.count, 1] {
                    let seen = describe(bytes, pieces: max(pieces, 1))
                    #expect(seen == publicCase.ours, "\(publicCase.name)")
                }
                #expect(RequestReaderCheck.violation(bytes) == nil, "\(publicCase.name)")
            }
            let ours = publicCase.ours.replacing(/\b[45]\d\d\b/, with: "refused")
            #expect(publicCase.theirs == ours || !publicCase.why.isEmpty, "\(publicCase.name) differs for no reason")
        }
    }

    private func describe(_ bytes: [UInt8], pieces: Int) -> String {
        var sequence = RequestSequence(ReferenceRequest.Limits(head: 8 << 10, body: 16 << 20))
        for start in stride(from: 0, to: bytes.count, by: pieces) where !sequence.isOver {
            try? sequence.take(Array(bytes[start..<min(start + pieces, bytes.count)]))
        }
        let connection = sequence.connection
        var words = connection.requests.map { "\(String(decoding: $0.method, as: UTF8.self)) \($0.body.count)" }
        if let refusal = sequence.refusal {
            words.append("\(ExchangeFailure(refusal).status)")
        } else if connection.failure == .incomplete, sequence.hasBegun || connection.requests.isEmpty {
            words.append("cut off")
        }
        return words.joined(separator: ", ")
    }

    @Test func areListedInTheDecision() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../..")
        let path = root.appending(path: "docs/decisions/0012-request-reader.md").standardizedFileURL.path
        let document = String(decoding: try #require(wholeFile(path)), as: UTF8.self)
        for collection in PublicRequest.collections {
            let rows = try PublicRequest.read(collection).map {
                "| \($0.name) | \($0.theirs) | \($0.ours) | \($0.why) |\n"
            }
            let table = "| case of \(collection) | expected there | ours | |\n|---|---|---|---|\n" + rows.joined()
            let isThere = document.contains(table)
            #expect(isThere, "the table should be:\n\(table)")
        }
    }
}
