/// How the built-in example Model Service answers.
public struct ExampleModelOptions: Sendable, Equatable {
    public var host = "127.0.0.1"
    /// 0: any free port; the one chosen is printed.
    public var port = 9090
    /// What it speaks: native, v1 or v2.
    public var `protocol`: Configuration.Model.ServiceProtocol = .native
    /// How long each answer waits.
    public var delay: Duration = .zero
    /// The share of requests answered with an error, from 0 to 1.
    public var failRate = 0.0

    public init() {}
}
