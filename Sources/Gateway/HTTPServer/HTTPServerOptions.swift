extension HTTPServer {
    /// What one client may take.
    struct Options {
        var maxBodyBytes = 16 << 20
        /// Of the request line and the header, and of a trailer.
        var maxHeaderBytes = 8 << 10
        /// How long a connection may stay open without a request.
        var idleTimeout: Duration = .seconds(75)
        /// How long a head may take, from the connection's beginning or the head's first byte on.
        var headTimeout: Duration = .seconds(10)
        /// In each such time a body, and the sending of an answer, must go on by `minProgress` a second.
        var bodyTimeout: Duration = .seconds(60)
    }
}
