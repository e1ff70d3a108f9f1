/// Why a text is not a value of the type wanted: the rest of a sentence that starts with the text.
public struct InvalidValue: Error, Equatable, Sendable, CustomStringConvertible {
    /// Such as "is not a duration".
    public let reason: String
    /// A value that may have been meant.
    public let suggestion: String?

    init(_ reason: String, suggestion: String? = nil) {
        self.reason = reason
        self.suggestion = suggestion
    }

    public var description: String { reason }
}
