extension Configuration.Model.Retry {
    /// After what a call may be made again.
    public enum Cause: String, Sendable, CaseIterable {
        /// No connection: the Model Service has not seen the request.
        case connect
        case reset, timeout
        case serverError = "5xx"
    }

    /// What `on` lists.
    public var causes: [Cause] { (try? Self.parse(on)) ?? [] }

    static func parse(_ text: String) throws(InvalidValue) -> [Cause] {
        var causes: [Cause] = []
        for word in text.split(separator: ",", omittingEmptySubsequences: false) {
            let name = String(word.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
            guard let cause = Cause(rawValue: name) else {
                throw InvalidValue(
                    "holds '\(name)', which is no cause",
                    suggestion: nearest(to: name, in: Cause.allCases.map(\.rawValue))
                )
            }
            causes.append(cause)
        }
        return causes
    }
}
