/// Puts secrets in the place of what names them: `${env:NAME}` and `${file:/path}`, each as the whole value.
struct SecretReferences: Sendable {
    /// Keys and certificates in PEM are a few KiB.
    static let maxFileBytes = 64 << 10
    private static let forms = "${env:NAME} or ${file:/path}"

    let environment: [String: String]

    /// The value, or the secret that it names; what is thrown quotes neither.
    func resolve(_ value: String) throws(InvalidValue) -> String {
        guard value.hasPrefix("${"), value.hasSuffix("}") else {
            // A text with the reference inside would be sent off as it stands.
            if value.firstRange(ofText: "${env:") != nil || value.firstRange(ofText: "${file:") != nil {
                throw InvalidValue("holds more than the reference; \(Self.forms) must be the whole value")
            }
            return value
        }
        let reference = value.dropFirst(2).dropLast()
        guard let colon = reference.firstIndex(of: ":") else { throw Self.unknownForm }
        let name = String(reference[reference.index(after: colon)...])
        if name.isEmpty { throw Self.unknownForm }
        switch reference[..<colon] {
        case "env":
            guard let secret = environment[name] else {
                throw InvalidValue("names the environment variable \(name), which is not set")
            }
            return secret
        case "file": return try Self.content(of: name)
        default: throw Self.unknownForm
        }
    }

    /// Without one line break at the end, which editors add.
    private static func content(of path: String) throws(InvalidValue) -> String {
        var bytes: [UInt8]
        do throws(FileReader.Failure) {
            bytes = try FileReader.read(path, limit: maxFileBytes)
        } catch {
            throw InvalidValue("names the file \(path), which cannot be read: \(error.reason)")
        }
        if bytes.last == UInt8(ascii: "\n") {
            bytes.removeLast()
            if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw InvalidValue("names the file \(path), which is not text in UTF-8")
        }
        return text
    }

    private static var unknownForm: InvalidValue { InvalidValue("is no reference to a secret; write \(forms)") }
}
