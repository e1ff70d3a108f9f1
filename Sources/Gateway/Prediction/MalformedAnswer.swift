/// A body that is not what its protocol says it should be, or too much of it.
struct MalformedAnswer: Error {
    /// One sentence for a person, without a full stop.
    let reason: String
    /// What it is recorded as.
    let unsplit: Unsplit

    init(_ reason: String, _ unsplit: Unsplit = .notUnderstood) {
        self.reason = reason
        self.unsplit = unsplit
    }

    /// The body is not JSON at all.
    init(_ fault: JSONOutline.Fault, offset: Int) {
        let what =
            switch fault {
            case .empty: "it is empty"
            case .tooLong: "it is longer than 4 GiB"
            case .tooDeep: "it is nested too deeply"
            case .notUTF8: "it is not UTF-8"
            case .controlCharacter: "a string contains a control character"
            case .openString: "a string is not closed"
            case .badString: "a string contains a wrong escape"
            case .badNumber: "a number is malformed"
            case .unexpected: "an unexpected character"
            case .endsEarly: "it ends too early"
            case .trailing: "something follows its end"
            case .outOfMemory: "there is no memory to read it"
            }
        // The reader does not say where bytes that are not text stand.
        self.init("the body cannot be read as JSON: \(what)" + (offset > 0 ? " (byte \(offset))" : ""))
    }
}

extension MalformedAnswer: CustomStringConvertible {
    var description: String { reason }
}
