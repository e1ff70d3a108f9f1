/// The text of `/metrics`, made in small parts as the client takes it: however many models there are, no part takes long, and
/// no more than a part is in memory. Confined to the shard that answers.
final class MetricsStream: HTTPBodySource {
    /// A piece of the page. Appends its part of that number, from 0 on, and returns whether it has more.
    typealias Section = (_ part: Int, _ body: ByteBuffer) -> Bool

    private var sections: ArraySlice<Section>
    private var part = 0

    init(_ sections: [Section]) { self.sections = sections[...] }

    func next(into buffer: ByteBuffer) -> Bool {
        guard let section = sections.first else { return false }
        if section(part, buffer) {
            part += 1
        } else {
            sections.removeFirst()
            part = 0
        }
        return true
    }
}

@available(*, unavailable)
extension MetricsStream: Sendable {}
