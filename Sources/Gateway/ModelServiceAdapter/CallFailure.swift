extension ExchangeFailure {
    /// What it means for a request that its call to the Model Service failed in this way.
    init(_ kind: CurlFailure.Kind, detail: ByteView) {
        switch kind {
        case .refused: self.init(cause: .refused, message: "the Model Service refuses connections")
        case .unreachable: self.init(cause: .unreachable, message: "the Model Service can't be reached")
        case .dns: self.init(cause: .dns, message: "the name of the Model Service can't be resolved")
        case .tls: self.init(cause: .tls, message: "no trusted TLS connection to the Model Service")
        case .timeout: self.init(cause: .timeout, message: "the Model Service did not answer in time")
        case .resetBeforeAnswer:
            self.init(cause: .reset, message: "the Model Service closed the connection before it answered")
        case .resetInAnswer:
            self.init(cause: .reset, message: "the Model Service closed the connection in the middle of its answer")
        case .malformed: self.init(cause: .malformed, message: "the Model Service did not answer in HTTP")
        case .tooLarge: self.init(cause: .tooLarge, message: "the answer of the Model Service is longer than allowed")
        case .noMemory:
            self.init(cause: .overloaded, message: "all bodies together are longer than server.maxInFlightBytes allows")
        case .wantsFreshConnection, .other: self.init(cause: .other, message: "the call of the Model Service failed")
        }
        if kind != .tooLarge { self.detail = detail }
    }
}
