import Logging

/// What a spool's directory holds, and for whom. Reads only: also while another process writes.
struct SpoolInventory {
    static let lanePrefix = "lane-"

    let path: String
    /// By the numbers of their shards.
    private(set) var lanes: [(number: Int, contents: LaneContents)] = []
    /// Whom the spool remembers; nobody where its file is damaged.
    private(set) var roster = SpoolRoster(of: [])

    init(path: String, log: ReporterLog) throws(SpoolError) {
        self.path = path
        do throws(SystemError) {
            if let roster = try SpoolRoster.read(path) {
                self.roster = roster
            } else {
                log(.warning, "\(path): its file of Reporters is damaged; their destinations are not compared")
            }
            for number in try Self.laneNumbers(in: path) {
                let contents = try LaneContents(reading: "\(path)/\(Self.lanePrefix)\(number)", log: log)
                lanes.append((number, contents))
            }
        } catch {
            throw .failed(path: path, error: error)
        }
    }

    /// The numbers of the lanes that have a directory, in order.
    static func laneNumbers(in path: String) throws(SystemError) -> [Int] {
        try Directory.names(in: path).filter { $0.hasPrefix(lanePrefix) }
            .compactMap { name in
                let digits = name.dropFirst(lanePrefix.count)
                guard let number = Int(digits), number >= 0, String(number) == digits else { return nil }
                return number
            }
            .sorted()
    }

    func contents(ofLane number: Int) -> LaneContents {
        lanes.first { $0.number == number }?.contents
            ?? LaneContents(empty: "\(path)/\(Self.lanePrefix)\(number)")
    }

    /// All who have a place, those that the spool remembers first.
    var names: [String] {
        let remembered = roster.reporters.map(\.name)
        let places = Set(lanes.flatMap { $0.contents.cursors.keys }).subtracting(remembered)
        return remembered + places.sorted()
    }

    /// How much all files of events take.
    var fileBytes: Int {
        lanes.reduce(0) { $0 + $1.contents.segments.reduce(0) { $0 + Int($1.fileEnd - $1.start) } }
    }

    func waiting(for reporter: String) -> Int { lanes.reduce(0) { $0 + $1.contents.waiting(for: reporter) } }

    /// Throws where events wait for a Reporter that is not there any more, or leads elsewhere now.
    func check(_ reporters: [SpoolReporter]) throws(SpoolError) {
        var changes: [SpoolError.Change] = []
        for name in names {
            let waiting = waiting(for: name)
            guard waiting > 0 else { continue }
            let before = roster.destination(of: name)
            let now = reporters.first { $0.name == name }?.destination
            if let before, let now, now.leads(whereDoes: before) { continue }
            // One that no earlier version has written down.
            if before == nil, now != nil { continue }
            changes.append(SpoolError.Change(name: name, waiting: waiting, before: before, now: now))
        }
        if !changes.isEmpty { throw .reportersChanged(path: path, changes) }
        try checkVersions(reporters)
    }

    /// Throws where events wait that a later version of the Sidecar has written: who reads on would lose them.
    private func checkVersions(_ reporters: [SpoolReporter]) throws(SpoolError) {
        for (_, contents) in lanes {
            for segment in contents.segments {
                guard let later = segment.later else { continue }
                let isRead = reporters.allSatisfy { contents.cursors[$0.name]?.position ?? 0 >= segment.end }
                if isRead { continue }
                throw .writtenLater(path: contents.directory + "/" + SpoolSegment.name(segment.start), later)
            }
        }
    }

    /// Tells of events in a spool that this configuration does not read.
    static func warnOfUnread(_ path: String, log: ReporterLog) {
        guard FileSystem.isDirectory(path), let inventory = try? SpoolInventory(path: path, log: log) else { return }
        let waiting = inventory.names.filter { inventory.waiting(for: $0) > 0 }
        guard !waiting.isEmpty else { return }
        let names = waiting.joined(separator: ", ")
        log(
            .warning,
            "events wait in the spool \(path) for \(names), and nobody reads it: see `ameron-sidecar spool list`"
        )
    }
}
