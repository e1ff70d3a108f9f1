import Testing

@testable import Gateway

@Suite struct LinkTests {
    private final class Thing {
        let number: Int
        init(_ number: Int) { self.number = number }
    }

    @Test func `a plain link does not keep its object`() {
        var thing: Thing? = Thing(1)
        weak let observer = thing
        let link = thing.map { Link($0) }
        #expect(link?.object.number == 1)
        #expect(link?.use { $0.number } == 1)
        thing = nil
        #expect(observer == nil)
    }

    @Test func `a holding link keeps its object until it is let go of`() {
        var thing: Thing? = Thing(2)
        weak let observer = thing
        var link = thing.map { Link.holding($0) }
        thing = nil
        #expect(observer?.number == 2)
        // Any link to the object lets go of it.
        thing = link?.object
        link = nil
        thing = thing.map { Link($0).letGo() }
        #expect(observer?.number == 2)
        thing = nil
        #expect(observer == nil)
    }

    @Test func `two links are to one object, and not to one like it`() {
        let (one, other) = (Thing(3), Thing(3))
        #expect(Link(one).isTo(one))
        #expect(Link(Link(one).object).isTo(one))
        #expect(!Link(one).isTo(other))
    }
}
