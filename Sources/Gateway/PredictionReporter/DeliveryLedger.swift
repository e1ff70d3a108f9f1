/// The events of a source that are under way, and up to where, in each lane, all are done with.
struct DeliveryLedger {
    /// An event under way.
    struct Ticket {
        let lane: Int
        fileprivate let number: Int
    }

    private var lanes: [PrefixLedger] = []
    /// The lanes of which something is to be acknowledged.
    private var moved: [Int] = []

    /// How many events stand between the first that has not ended, in each lane, and the last that has begun.
    var openCount: Int { lanes.reduce(0) { $0 + $1.count } }

    /// Enters an event, in the order of its lane.
    mutating func begin(_ event: WaitingEvent) -> Ticket {
        while lanes.count <= event.lane { lanes.append(PrefixLedger()) }
        return Ticket(lane: event.lane, number: lanes[event.lane].begin(event.end))
    }

    /// Ends an event: it was delivered, or has failed for good.
    mutating func end(_ ticket: Ticket) {
        guard lanes[ticket.lane].end(ticket.number) else { return }
        if moved.last != ticket.lane && !moved.contains(ticket.lane) { moved.append(ticket.lane) }
    }

    /// Tells the source of what has ended since the last call.
    mutating func acknowledge(to source: any EventSource) {
        for lane in moved {
            guard let position = lanes[lane].position else { continue }
            source.acknowledge(lane: lane, through: position)
        }
        moved.removeAll(keepingCapacity: true)
    }
}
