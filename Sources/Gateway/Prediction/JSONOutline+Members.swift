extension JSONOutline {
    /// The value of the first member of that name.
    func member(_ name: StaticString, of object: Int) -> Int? {
        let end = after(object)
        var node = object + 1
        while node < end {
            if inside(node) == name { return node + 1 }
            node = after(node + 1)
        }
        return nil
    }
}
