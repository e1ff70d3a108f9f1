/// Asks with GET, over libcurl.
final class HTTPHealthProbe: HealthProbe, CurlTransferDelegate {
    /// What is asked of one Model Service.
    struct Check {
        var url: String
        var unixSocketPath: String?
        var caFile: String?
        /// It is a guess: any answer below 500 will do, and 501, not just a good one.
        var anyAnswer: Bool
        /// The key that says where else to ask, as in `models.0.healthUrl`; nil: that is where it is asked.
        var key: String?
    }

    weak var prober: HealthProber?
    private let check: Check
    private let curl: CurlMulti
    /// Made with the first question, for it holds this object as its delegate.
    private lazy var transfer = CurlTransfer(
        target: CurlHandle.Target(
            url: check.url,
            unixSocketPath: check.unixSocketPath,
            caFile: check.caFile,
            maxBodyBytes: 1 << 20
        ),
        delegate: self
    )

    init(_ check: Check, curl: CurlMulti) {
        self.check = check
        self.curl = curl
    }

    var question: String { "GET \(ModelServiceURL.shown(check.url, check.unixSocketPath))" }

    func ask() {
        transfer.prepare(method: .get)
        curl.add(transfer)
    }

    func giveUp() { curl.remove(transfer) }

    func transferFinished(_ transfer: CurlTransfer, failure: CurlFailure?) {
        prober?.ended(self, outcome(status: transfer.status, failure))
        transfer.letGo()
    }

    private func outcome(status: Int, _ failure: CurlFailure?) -> HealthOutcome {
        if let failure { return .unknown(Self.text(failure, detail: transfer.errorMessage)) }
        if (200..<300).contains(status) { return .ready }
        guard check.anyAnswer else {
            // Not all servers have the resource that the protocol knows.
            let other = status == 404 || status == 405 || status == 501 ? check.key : nil
            return .refused("it answered \(status)\(other.map { "; \($0) says where else to ask" } ?? "")")
        }
        // That it does not know GET shows that it is there.
        return status < 500 || status == 501 ? .ready : .unknown("it answered \(status)")
    }

    /// The rest of a sentence that names the URL.
    private static func text(_ failure: CurlFailure, detail: String) -> String {
        switch failure.kind {
        case .refused: "it refuses connections"
        case .unreachable: "its host cannot be reached"
        case .dns: "its host has no address"
        case .tls: "no trusted TLS connection: \(detail)"
        case .timeout: "no answer within \(HealthProber.patienceText)"
        case .resetBeforeAnswer: "it closed the connection before it answered"
        case .resetInAnswer: "it closed the connection in the middle of its answer"
        case .malformed: "its answer is not HTTP"
        case .tooLarge: "its answer is too long"
        case .noMemory, .wantsFreshConnection, .other: "the call failed: \(detail)"
        }
    }
}

@available(*, unavailable)
extension HTTPHealthProbe: Sendable {}
