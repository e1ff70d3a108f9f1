/// A Reporter that the spool serves.
struct SpoolReporter: Sendable, Equatable {
    var name: String
    var destination: ReporterDestination
}

/// Who the events are for: each Reporter's name and where it led, in the file `reporters` of the spool's directory.
///
/// So that a place in the spool is never taken for that of another Reporter of the same name. A line for each: name, type,
/// place, and Kafka's brokers, with tabs between them (none of them holds one); then a line with a checksum.
struct SpoolRoster: Equatable {
    private static let fileName = "reporters"
    private static let title = "ameron-sidecar reporters 1"
    /// More cannot come of a configuration.
    private static let maxBytes = 16 << 20

    var reporters: [SpoolReporter] = []

    func destination(of name: String) -> ReporterDestination? { reporters.first { $0.name == name }?.destination }

    /// What the directory's file says; nobody where there is none, as in a spool of an earlier version.
    ///
    /// - Returns: nil where the file is damaged.
    static func read(_ directory: String) throws(SystemError) -> SpoolRoster? {
        let text = ByteBuffer(capacity: 4096)
        do throws(SystemError) {
            try RandomAccessFile(path: path(directory), .read).read(into: text, at: 0, upTo: maxBytes)
        } catch {
            if error.isMissingFile { return SpoolRoster() }
            throw error
        }
        return withExtendedLifetime(text) { SpoolRoster(parsing: text.view.string) }
    }

    private init(_ reporters: [SpoolReporter] = []) { self.reporters = reporters }

    init(of reporters: [SpoolReporter]) { self.init(reporters) }

    private init?(parsing text: String) {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count > 2, lines.removeLast() == "", SpoolRoster.checks(&lines),
            lines.removeFirst() == Self.title
        else { return nil }
        for line in lines {
            let parts = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 4 else { return nil }
            let brokers = parts[3].split(separator: ",").map(String.init)
            let destination = ReporterDestination(type: parts[1], place: parts[2], brokers: brokers)
            reporters.append(SpoolReporter(name: parts[0], destination: destination))
        }
    }

    /// Puts a file with this in the place of the one before: whole or not at all, whenever the machine dies.
    func write(_ directory: String, synced: Bool) throws(SystemError) {
        var lines = [Substring(Self.title)]
        for reporter in reporters {
            let destination = reporter.destination
            let brokers = destination.brokers.joined(separator: ",")
            lines.append("\(reporter.name)\t\(destination.type)\t\(destination.place)\t\(brokers)")
        }
        lines.append(Substring(Self.checksumLine(lines)))
        let path = Self.path(directory)
        let file = try RandomAccessFile(path: path + ".new", .create)
        try Self.bytes(lines).withByteView { (view) throws(SystemError) in try file.write(view, at: 0) }
        if synced { try file.synchronize() }
        try FileSystem.rename(path + ".new", to: path)
        if synced { try Directory.synchronize(directory) }
    }

    static func remove(_ directory: String) throws(SystemError) { try FileSystem.remove(path(directory)) }

    private static func path(_ directory: String) -> String { directory + "/" + fileName }

    /// Takes the last line away, which must be the checksum of the others.
    private static func checks(_ lines: inout [Substring]) -> Bool {
        let last = lines.removeLast()
        return last == checksumLine(lines)
    }

    private static func bytes(_ lines: [Substring]) -> [UInt8] { lines.flatMap { $0.utf8 + [UInt8(ascii: "\n")] } }

    private static func checksumLine(_ lines: [Substring]) -> String {
        "checksum " + String(bytes(lines).withByteView { Checksum.xxh3($0) }, radix: 16)
    }
}
