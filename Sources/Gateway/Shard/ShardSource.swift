extension Shard {
    /// A part of the shard that its loop drives: where requests come from, where calls go out, what has deadlines.
    ///
    /// A class, and no protocol, so that the loop need not count references to it. Most sources need only some of this.
    class Source {
        /// One of its descriptors in the shard's epoll, which it has registered with its place among the sources as the kind.
        func ready(_ event: Epoll.Event) {}

        /// Does what there is to do. Once in each turn of the loop.
        func turn(_ pass: Pass) {}

        /// When it wants a turn at the latest: nanoseconds of the monotonic clock; 0: at once; `.max`: it waits for events only.
        var nextDeadline: Int64 { .max }

        /// Takes in nothing new from here on, and ends what is in flight.
        func drain() {}

        /// Whether it has, after `drain`, nothing more to do.
        var isDrained: Bool { true }

        /// The time to drain is over: ends what is out, so that everybody is told.
        func abort() {}

        /// The shard is about to end: nothing is out any more. In the opposite order of the turns.
        func shutDown() {}
    }
}
