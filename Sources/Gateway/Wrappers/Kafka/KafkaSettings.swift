private import CKafka

/// A setting that librdkafka does not take. Tells which one, and never its value: that may be a password.
struct KafkaSettingError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The setting's name; `kafka` where the library does not say which.
    let property: String
    let reason: String

    var description: String { "\(property): \(reason)" }
}

/// Settings of a Kafka client by the names that librdkafka gives them (CONFIGURATION.md of librdkafka).
struct KafkaSettings: Sendable {
    private(set) var pairs: [(name: String, value: String)] = []

    /// Of two values for one name the later wins.
    init(_ pairs: [(String, String)] = []) {
        for (name, value) in pairs { set(name, value) }
    }

    /// Sets a value in place of an earlier one; names that librdkafka knows as aliases of each other win by their order.
    mutating func set(_ name: String, _ value: String) {
        pairs.removeAll { $0.name == name }
        pairs.append((name, value))
    }

    subscript(name: String) -> String? { pairs.last { $0.name == name }?.value }

    /// Checks each name and value by itself; what they must be together, the making of a client tells.
    func validate() throws(KafkaSettingError) { rd_kafka_conf_destroy(try makeConfiguration()) }

    /// An rd_kafka_conf_t with these settings, owned by the caller.
    func makeConfiguration() throws(KafkaSettingError) -> OpaquePointer {
        // Never nil: it ends the process when there is no memory.
        let configuration: OpaquePointer = rd_kafka_conf_new()
        for (name, value) in pairs {
            guard let reason = Self.set(configuration, name, value) else { continue }
            rd_kafka_conf_destroy(configuration)
            throw KafkaSettingError(property: name, reason: reason)
        }
        return configuration
    }

    /// Sets one value; why not, where that fails.
    private static func set(_ configuration: OpaquePointer, _ name: String, _ value: String) -> String? {
        if name.utf8.contains(0) || value.utf8.contains(0) { return "a NUL byte is not allowed" }
        var text = [CChar](repeating: 0, count: 512)
        switch rd_kafka_conf_set(configuration, name, value, &text, text.count) {
        case RD_KAFKA_CONF_OK: return nil
        case RD_KAFKA_CONF_UNKNOWN: return "librdkafka knows no setting of that name"
        default: return reason(in: String(cCharacters: text))
        }
    }

    /// The library's own texts carry the value, so that only what is known to be free of it is taken from them.
    private static func reason(in text: String) -> String {
        if let range = text.trailing(after: "outside allowed range ") { return "it is out of range; allowed: \(range)" }
        if text.hasPrefix("Expected bool value") { return "allowed: true, false" }
        if text.hasSuffix("empty value") { return "it is empty" }
        if let why = text.trailing(after: "not supported in this build: ") { return "not supported here: \(why)" }
        return "its value is not allowed"
    }

    /// A text of the library in which no value occurs, for errors that come when a client is made.
    func redacted(_ text: String) -> String {
        var text = text
        // The longest first: one value may be a part of another.
        for value in pairs.map(\.value).filter({ !$0.isEmpty }).sorted(by: { $0.utf8.count > $1.utf8.count }) {
            text = text.replacingWords(value, with: "(value)")
        }
        return text
    }
}

extension KafkaSettingError {
    /// From the text with which rd_kafka_new(3) fails: it names settings in backquotes.
    init(text: String, settings: KafkaSettings) {
        let parts = text.split(separator: "`", omittingEmptySubsequences: false)
        let name = parts.count > 2 ? String(parts[1]) : nil
        let words = text.split(whereSeparator: { !$0.isLetter && !$0.isNumber && $0 != "." && $0 != "_" })
        let known = words.map(String.init).first { settings[$0] != nil }
        self.init(property: name ?? known ?? "kafka", reason: settings.redacted(text))
    }
}

extension String {
    /// From an array that a C function filled.
    init(cCharacters: [CChar]) {
        self.init(decoding: cCharacters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    fileprivate func trailing(after marker: String) -> String? {
        let bytes = Array(utf8)
        let wanted = Array(marker.utf8)
        guard bytes.count >= wanted.count else { return nil }
        for start in 0...(bytes.count - wanted.count) where bytes[start...].starts(with: wanted) {
            let rest = String(decoding: bytes[(start + wanted.count)...], as: UTF8.self)
            return String(rest.prefix { !$0.isNewline })
        }
        return nil
    }

    /// Replaces each occurrence; a short one (under 4 bytes) only where it is a whole word, as it may be in any other.
    fileprivate func replacingWords(_ word: String, with replacement: String) -> String {
        let bytes = Array(utf8)
        let wanted = Array(word.utf8)
        var result: [UInt8] = []
        var index = 0
        func isInside(_ position: Int) -> Bool {
            guard bytes.indices.contains(position) else { return false }
            let character = Character(Unicode.Scalar(bytes[position]))
            return character.isLetter || character.isNumber || character == "." || character == "_" || character == "-"
        }
        while index < bytes.count {
            let end = index + wanted.count
            let isWhole = wanted.count >= 4 || !isInside(index - 1) && !isInside(end)
            if bytes[index...].starts(with: wanted), isWhole {
                result += replacement.utf8
                index = end
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
