/// What a request to the example Model Service is for.
enum ExampleEndpoint: Equatable {
    case predict(ExampleModelName)
    case live, ready
    case modelList, serverMetadata
    case modelReady(ExampleModelName)
    case modelMetadata(ExampleModelName)
}

/// The paths of the example Model Service: those of one protocol, and `/livez` and `/readyz`.
///
/// Only one protocol's, as with most real Model Services: a Sidecar that is told the wrong protocol shall get a 404, not
/// an answer that hides the mistake.
struct ExampleRoutes {
    enum Match: Equatable {
        case endpoint(ExampleEndpoint)
        case notFound(StaticString)
        /// The path is known; `allow` lists the methods that it answers.
        case wrongMethod(allow: StaticString)

        static func == (left: Match, right: Match) -> Bool {
            switch (left, right) {
            case (.endpoint(let one), .endpoint(let other)): one == other
            case (.notFound(let one), .notFound(let other)), (.wrongMethod(let one), .wrongMethod(let other)):
                ByteView(one) == ByteView(other)
            default: false
            }
        }
    }

    let speech: ExampleSpeech

    func match(method: ByteView, path: ByteView) -> Match {
        let match = find(path)
        guard case .endpoint(let endpoint) = match else { return match }
        if case .predict = endpoint { return method == "POST" ? match : .wrongMethod(allow: "POST") }
        return method == "GET" || method == "HEAD" ? match : .wrongMethod(allow: "GET, HEAD")
    }

    private func find(_ path: ByteView) -> Match {
        if path == "/livez" { return .endpoint(.live) }
        if path == "/readyz" { return .endpoint(.ready) }
        return speech.codec.find(path)
    }

    /// What stands before the first slash, and what behind it.
    static func firstSegment(_ path: ByteView) -> (first: ByteView, rest: ByteView) {
        guard let slash = path.firstIndex(of: UInt8(ascii: "/")) else { return (path, .empty) }
        return (path.prefix(slash), path.dropFirst(slash + 1))
    }

    /// The endpoint of a model, and of a version of it that is asked for.
    static func find(
        _ model: ByteView,
        _ version: ByteView = .empty,
        endpoint: (ExampleModelName) -> ExampleEndpoint
    ) -> Match {
        guard let name = ExampleModelName(model) else {
            return .notFound("there is no such model; there are iris and digits")
        }
        guard version.isEmpty || version == name.version else {
            return .notFound("there is no such version; iris has 1, digits has 7")
        }
        return .endpoint(endpoint(name))
    }

    static var unknownPath: Match { .notFound("there is nothing at this path") }
}
