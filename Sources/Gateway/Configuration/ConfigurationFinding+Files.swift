// What is wrong with files that the configuration names, on this machine. Each is tried without leaving a trace.
extension ConfigurationFinding {
    /// Of a file that is appended to; the empty path is a problem of its own.
    static func appending(to path: String, _ key: String) -> [Self] {
        guard !path.isEmpty, let obstacle = FileSystem.obstacle(toAppendingTo: path) else { return [] }
        return [Self(key, value: path, "cannot be opened: \(reason(obstacle, for: path))")]
    }

    /// The rest of a sentence, which names the directory where that is what is missing.
    static func reason(_ obstacle: SystemError, for path: String) -> String {
        let directory = FileSystem.directory(of: path)
        if obstacle.isMissingFile, !FileSystem.isDirectory(directory) {
            return "the directory \(directory) does not exist"
        }
        return obstacle.reason
    }

    /// Of a file of certificates, where there is one. That they are good, the first connection tells; that there are some, the
    /// file itself.
    static func authorities(in path: String?, _ key: String) -> [Self] {
        guard let path else { return [] }
        do throws(FileReader.Failure) {
            let text = String(decoding: try FileReader.read(path, limit: 16 << 20), as: UTF8.self)
            if text.firstRange(ofText: "-----BEGIN CERTIFICATE-----") != nil { return [] }
            return [Self(key, value: path, "holds no certificate in PEM (-----BEGIN CERTIFICATE-----)")]
        } catch {
            return [Self(key, value: path, "cannot be read: \(error.reason)")]
        }
    }
}
