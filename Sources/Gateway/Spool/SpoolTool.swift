import Logging

/// `ameron-sidecar spool`: what stands in a spool, for whom, and how to take it out. Each returns the exit code, 0 or 1.
public enum SpoolTool {
    /// Prints who has a place in the spool, what waits there, and where it is to go. Also while a Sidecar runs.
    public static func list(_ path: String) -> Int32 {
        run {
            let inventory = try open(path)
            var rows = [["NAME", "EVENTS", "BYTES", "DESTINATION"]]
            for name in inventory.names {
                let waiting = try waiting(for: name, in: inventory) { _ in }
                let destination = inventory.roster.destination(of: name).map { "\($0)" } ?? "-"
                rows.append([name, "\(waiting.events)", "\(waiting.bytes)", destination])
            }
            let widths = (0..<3).map { column in rows.map(\.[column].utf8.count).max() ?? 0 }
            for row in rows {
                let cells = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.utf8.count) }
                try print((cells + [row[3]]).joined(separator: "  "))
            }
        }
    }

    /// Writes the events that wait for a Reporter, a line of JSON each, oldest first in each lane; takes none out.
    ///
    /// - Parameter output: a file, which must not be there yet; nil: standard output.
    public static func export(_ path: String, name: String, output: String?) -> Int32 {
        run {
            let inventory = try open(path)
            try checkName(name, inventory)
            let file = try output.map { output in
                try named(output) { () throws(SystemError) in try RandomAccessFile(path: output, .new) }
            }
            var offset = 0
            let waiting = try waiting(for: name, in: inventory) { lines in
                guard let output, let file else { return try write(lines) }
                try named(output) { () throws(SystemError) in try file.write(lines, at: offset) }
                offset += lines.count
            }
            if let output, let file {
                try named(output) { () throws(SystemError) in
                    try file.synchronize()
                    try Directory.synchronize(FileSystem.directory(of: output))
                }
            }
            StandardError.print("\(waiting.events) events (\(waiting.bytes) bytes) wait for \(name)")
            if waiting.lostBytes > 0 {
                throw SpoolToolError(
                    description: "\(waiting.lostBytes) bytes of them cannot be read, and were left out"
                )
            }
        }
    }

    /// Takes a Reporter's place out of the spool. What waited for nobody else goes at the next start; a Reporter of that
    /// name that comes later is a new one, and gets all that is stored.
    ///
    /// - Parameter keepsPlace: Only where it leads is forgotten: the next start takes what the configuration says then.
    public static func forget(_ path: String, name: String, keepsPlace: Bool) -> Int32 {
        run {
            let lock = try Spool.lock(path)
            defer { withExtendedLifetime(lock) {} }
            let inventory = try open(path)
            try checkName(name, inventory)
            let waiting = try waiting(for: name, in: inventory) { _ in }
            var roster = inventory.roster
            roster.reporters.removeAll { $0.name == name }
            try named(path) { () throws(SystemError) in
                if !keepsPlace {
                    for (_, contents) in inventory.lanes where contents.cursors[name] != nil {
                        try FileSystem.remove(SpoolCursor.path(directory: contents.directory, reporter: name))
                        try Directory.synchronize(contents.directory)
                    }
                }
                try roster.write(path, synced: true)
            }
            let what = keepsPlace ? "where \(name) led is forgotten" : "the place of \(name) is forgotten"
            try print("\(what); \(waiting.events) events (\(waiting.bytes) bytes) waited for it")
        }
    }

    // MARK: Parts

    private static func open(_ path: String) throws -> SpoolInventory {
        // Without a spool there is nothing to list, and nothing is made.
        guard FileSystem.isDirectory(path) else { throw SpoolToolError(description: "there is no spool at \(path)") }
        return try SpoolInventory(path: path) { _, message in StandardError.print(message) }
    }

    private static func checkName(_ name: String, _ inventory: SpoolInventory) throws {
        let names = inventory.names
        if names.contains(name) { return }
        let known = names.isEmpty ? "nobody has" : "there are \(names.joined(separator: ", "))"
        throw SpoolToolError(description: "no Reporter \(name) has a place in \(inventory.path); \(known)")
    }

    private struct Waiting {
        var events = 0
        var bytes = 0
        /// What cannot be read.
        var lostBytes = 0
    }

    /// Reads what waits for a Reporter, and hands out the lines.
    private static func waiting(
        for name: String,
        in inventory: SpoolInventory,
        _ take: (ByteView) throws -> Void
    ) throws -> Waiting {
        var waiting = Waiting()
        for (_, contents) in inventory.lanes {
            let position = contents.cursors[name]?.position ?? 0
            for segment in contents.segments where segment.end > position {
                let start = max(segment.start, position)
                let path = contents.directory + "/" + SpoolSegment.name(segment.start)
                do {
                    let reader = try SegmentReader(path: path, start: segment.start, position: start)
                    try read(reader, to: segment.end, into: &waiting, take)
                } catch let error as SystemError {
                    // Of a spool in use: everybody has it by now.
                    if error.isMissingFile { continue }
                    StandardError.print("cannot \(error.call) \(path): \(error.reason)")
                    waiting.lostBytes += Int(segment.end - start)
                }
            }
        }
        return waiting
    }

    private static func read(
        _ reader: SegmentReader,
        to end: Int64,
        into waiting: inout Waiting,
        _ take: (ByteView) throws -> Void
    ) throws {
        let chunk = SpoolChunk()
        let lines = ByteBuffer(capacity: SegmentReader.chunkSize)
        while reader.position < end {
            try reader.read(into: chunk, end: end)
            lines.removeAll()
            for range in chunk.frames {
                guard let frame = EventFrame(in: chunk.buffer.view, at: range.lowerBound) else { continue }
                lines.append(frame.line)
                waiting.events += 1
                waiting.bytes += range.count
            }
            try withExtendedLifetime(lines) { try take(lines.view) }
        }
        for lost in reader.takeLost() { waiting.lostBytes += lost.count }
        for later in reader.takeLater() { waiting.lostBytes += later.range.count }
    }

    private static func print(_ line: String) throws { try Array((line + "\n").utf8).withByteView { try write($0) } }

    private static func write(_ view: ByteView) throws {
        if !StandardOutput.write(view) { throw SpoolToolError(description: "standard output takes no more") }
    }

    /// Names the file where a call for it fails.
    private static func named<Value>(_ path: String, _ body: () throws(SystemError) -> Value) throws -> Value {
        do {
            return try body()
        } catch {
            throw SpoolToolError(description: "cannot \(error.call) \(path): \(error.reason)")
        }
    }

    private static func run(_ body: () throws -> Void) -> Int32 {
        do {
            try body()
            return 0
        } catch {
            StandardError.print("\(error)")
            return 1
        }
    }
}

/// Why a spool cannot be listed, exported or forgotten.
private struct SpoolToolError: Error, CustomStringConvertible {
    let description: String
}
