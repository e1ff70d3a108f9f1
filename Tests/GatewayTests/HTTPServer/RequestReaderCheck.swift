import TestSupport

@testable import Gateway

/// What must hold of the request reader for any bytes whatever. The tests and the fuzzer ask the same.
enum RequestReaderCheck {
    /// What is wrong, nil where nothing is. The same bytes are always read in the same ways.
    static func violation(_ bytes: [UInt8]) -> String? {
        var random = SeededGenerator(seed: bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 })
        // Limits that short inputs come to feel, too.
        let small = ReferenceRequest.Limits(head: 20 + random.below(200), body: random.below(40))
        do throws(Violation) {
            for limits in [ReferenceRequest.Limits(), small] {
                let expected = ReferenceRequest.read(bytes, limits)
                var reason: String?
                for cut in Cut.allCases {
                    var reader = RequestSequence(limits)
                    try feed(bytes, cut, &reader, &random)
                    let seen = reader.connection
                    guard seen == expected else { return "\(limits), \(cut): \(seen), but expected is \(expected)" }
                    // The reason is the reader's own, and the same however the bytes come.
                    guard reason == nil || reason == reader.reason else {
                        return "\(limits), \(cut): \(reader.reason ?? "none"), but was \(reason ?? "none")"
                    }
                    reason = reader.reason
                }
            }
            return nil
        } catch {
            return error.what
        }
    }

    struct Violation: Error {
        let what: String
    }

    private enum Cut: CaseIterable {
        case whole, pieces, bytes
        /// In pieces, and what certainly belongs to a body past the reader, with what follows it, as `HTTPServer` does it.
        case direct
    }

    private static func feed(
        _ bytes: [UInt8],
        _ cut: Cut,
        _ reader: inout RequestSequence,
        _ random: inout SeededGenerator
    ) throws(Violation) {
        let mostPerPiece = random.pick([1, 3, 16, 200])
        var rest = bytes[...]
        while !rest.isEmpty, !reader.isOver {
            let length =
                switch cut {
                case .whole: rest.count
                case .bytes: 1
                case .pieces, .direct: 1 + random.below(mostPerPiece)
                }
            var piece = Array(rest.prefix(length))
            rest = rest.dropFirst(length)
            if cut == .direct { piece = reader.takeBody(piece) }
            try reader.take(piece)
        }
        reader.left += reader.isOver && reader.failure == nil ? rest.count : 0
    }
}

/// Reads the requests of one connection in pieces, as `HTTPServer` does.
struct RequestSequence {
    private let limits: ReferenceRequest.Limits
    private var head = HTTP1RequestHead()
    private var body = HTTP1RequestBody()
    private var current: ReferenceRequest?
    private var requests: [ReferenceRequest] = []
    /// What is not done with.
    private var pending: [UInt8] = []
    private(set) var refusal: HTTP1Refusal?
    private(set) var isOver = false
    private var hasHead = false
    var left = 0

    init(_ limits: ReferenceRequest.Limits) { self.limits = limits }

    var failure: ReferenceRequest.Failure? { refusal.map { ReferenceRequest.Failure($0.kind) } }
    var reason: String? { refusal.map { "\($0.reason)" } }
    /// Whether more has come than whole requests, and empty lines behind them.
    var hasBegun: Bool { hasHead || pending.contains { $0 != 0x0d && $0 != 0x0a } }

    /// What came of it where nothing more comes.
    var connection: ReferenceRequest.Connection {
        var connection = ReferenceRequest.Connection()
        connection.requests = requests
        connection.failure = isOver ? failure : .incomplete
        connection.hasHead = connection.failure != nil && hasHead
        connection.left = left
        return connection
    }

    /// Takes what is certain to be body straight; gives back what follows it.
    mutating func takeBody(_ piece: [UInt8]) -> [UInt8] {
        let expected = body.expectedBytes
        guard current != nil, expected > 0, pending.isEmpty else { return piece }
        let data = piece.prefix(expected)
        current?.body += data
        body.count(data.count)
        return Array(piece.dropFirst(data.count))
    }

    mutating func take(_ piece: [UInt8]) throws(RequestReaderCheck.Violation) {
        pending += piece
        do throws(HTTP1Refusal) {
            while !isOver, try readOn() {}
        } catch {
            isOver = true
            refusal = error
        }
        guard isOver || pending.count <= max(limits.head, 4 << 10) else {
            throw RequestReaderCheck.Violation(what: "\(pending.count) bytes wait for more")
        }
        if let current, current.body.count + body.expectedBytes > limits.body {
            throw RequestReaderCheck.Violation(what: "\(body.expectedBytes) bytes are expected beyond what is allowed")
        }
    }

    /// False: more bytes must come.
    private mutating func readOn() throws(HTTP1Refusal) -> Bool {
        if current == nil {
            // In memory of its own, that ends where the bytes end.
            let bytes = pending
            current = try bytes.withByteView { view throws(HTTP1Refusal) in
                try head.read(view, maxBytes: limits.head) ? ReferenceRequest(head, view) : nil
            }
            guard current != nil else { return false }
            hasHead = true
            if case .sized(let length) = head.framing, length > limits.body { throw .bodyTooLong }
            body = HTTP1RequestBody(head.framing)
            pending.removeFirst(head.length)
        }
        while !body.isComplete {
            let bytes = pending
            var consumed = 0
            // What is consumed counts also where the rest is refused.
            defer { pending.removeFirst(consumed) }
            try bytes.withByteView { view throws(HTTP1Refusal) in
                let data = body.takeData(view, consumed: &consumed)
                current?.body += data.array
                try body.readFraming(
                    view,
                    consumed: &consumed,
                    received: current?.body.count ?? 0,
                    limits: HTTP1RequestBody.Limits(bodyBytes: limits.body, trailerBytes: limits.head)
                )
            }
            guard consumed > 0 else { return false }
        }
        if let current {
            requests.append(current)
            isOver = !current.keepsAlive
        }
        if isOver { left = pending.count }
        current = nil
        hasHead = false
        head.reset()
        return true
    }
}

extension ReferenceRequest {
    /// What the reader has made of a head.
    init(_ head: HTTP1RequestHead, _ bytes: ByteView) {
        self.init(
            method: bytes[head.method].array,
            target: bytes[head.target].array,
            authority: bytes[head.authority].array,
            path: bytes[head.path].array,
            query: bytes[head.query].array,
            isHTTP10: head.isHTTP10,
            fields: head.lines.map { Field(name: bytes[$0.name].array, value: bytes[$0.value].array) },
            expectsContinue: head.expectsContinue,
            keepsAlive: head.keepsAlive
        )
    }
}

extension ReferenceRequest.Failure {
    init(_ kind: HTTP1Refusal.Kind) {
        switch kind {
        case .malformed: self = .malformed
        case .targetTooLong: self = .targetTooLong
        case .headTooLong: self = .headTooLong
        case .bodyTooLong: self = .bodyTooLong
        case .unknownCoding: self = .unknownCoding
        case .unknownVersion: self = .unknownVersion
        case .tls: self = .tls
        case .http2: self = .http2
        case .timedOut, .noRoom: preconditionFailure("the bytes do not decide that")
        }
    }
}
