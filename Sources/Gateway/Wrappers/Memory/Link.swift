/// A reference that is followed without being counted: for lists that run through their own elements.
/// Whoever follows it knows that the object is there.
struct Link<Object: AnyObject> {
    private let reference: Unmanaged<Object>

    /// Does not keep the object alive.
    @inline(__always)
    init(_ object: Object) { reference = .passUnretained(object) }

    private init(reference: Unmanaged<Object>) { self.reference = reference }

    /// Keeps the object alive until `letGo`.
    static func holding(_ object: Object) -> Link { Link(reference: .passRetained(object)) }

    /// Once for each `holding`, on any link to the object: it is the caller's then.
    func letGo() -> Object { reference.takeRetainedValue() }

    var object: Object { reference.takeUnretainedValue() }

    @inline(__always)
    func use<Result>(_ body: (Object) -> Result) -> Result { reference._withUnsafeGuaranteedRef(body) }

    @inline(__always)
    func isTo(_ other: Object) -> Bool { reference.toOpaque() == Unmanaged.passUnretained(other).toOpaque() }
}

@available(*, unavailable)
extension Link: Sendable {}
