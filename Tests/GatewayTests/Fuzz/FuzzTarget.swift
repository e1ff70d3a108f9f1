import TestSupport

/// What is fuzzed: what must hold of any input, and how inputs are changed. `make fuzz` and the tests do the same with it.
struct FuzzTarget: Sendable, CustomStringConvertible {
    /// What FUZZ and the file of its corpus call it.
    let description: String
    /// What is wrong, nil where nothing is. The same bytes are always looked at in the same ways.
    let violation: @Sendable ([UInt8]) -> String?
    /// A change beside those that libFuzzer itself has; the last argument is another input, of which parts may be taken.
    let mutate: @Sendable (inout [UInt8], inout SeededGenerator, [UInt8]) -> Void

    static let all = [
        FuzzTarget(
            description: "responses",
            violation: ResponseParserCheck.violation,
            mutate: { ResponseMutation.mutate(&$0, &$1, other: $2) }
        ),
        FuzzTarget(
            description: "requests",
            violation: RequestReaderCheck.violation,
            mutate: { RequestMutation.mutate(&$0, &$1, other: $2) }
        ),
        FuzzTarget(
            description: "json",
            violation: JSONCheck.violation,
            mutate: { JSONMutation.mutate(&$0, &$1, other: $2) }
        ),
        FuzzTarget(
            description: "kafka-headers",
            violation: KafkaHeaderCheck.violation,
            mutate: { KafkaHeaderMutation.mutate(&$0, &$1, other: $2) }
        ),
        FuzzTarget(
            description: "spool",
            violation: SpoolCheck.violation,
            mutate: { SpoolMutation.mutate(&$0, &$1, other: $2) }
        ),
    ]
}
