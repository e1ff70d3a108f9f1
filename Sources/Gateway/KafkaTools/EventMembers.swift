/// The members of the data, and of the objects in it under `outer.inner`, as nodes of the outline.
struct EventMembers {
    private var nodes: [String: Int] = [:]

    /// nil: the data is no JSON object.
    init?(_ data: ByteView, _ outline: JSONOutline) {
        do {
            try outline.read(data, depth: 2)
        } catch {
            return nil
        }
        guard outline.isObject(0) else { return nil }
        add(0, "", outline)
    }

    private mutating func add(_ object: Int, _ prefix: String, _ outline: JSONOutline) {
        var node = object + 1
        while node < outline.after(object) {
            let name = prefix + outline.inside(node).string
            nodes[name] = node + 1
            if prefix.isEmpty, outline.isObject(node + 1) { add(node + 1, name + ".", outline) }
            node = outline.after(node + 1)
        }
    }

    subscript(name: String) -> Int? { nodes[name] }
}
