import Testing

@testable import Gateway

@Suite struct MemoryLimitTests {
    @Test func looksAtTheGroupsAround() {
        let membership = "12:cpu,cpuacct:/a\n4:memory:/kubepods/pod1\n0::/system.slice/it.service\n"
        #expect(
            MemoryLimit.controlGroupFiles(membership) == [
                "/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/kubepods/memory.limit_in_bytes",
                "/sys/fs/cgroup/memory/kubepods/pod1/memory.limit_in_bytes", "/sys/fs/cgroup/memory.max",
                "/sys/fs/cgroup/system.slice/memory.max", "/sys/fs/cgroup/system.slice/it.service/memory.max",
            ]
        )
        #expect(MemoryLimit.controlGroupFiles("").isEmpty)
        #expect(MemoryLimit.controlGroupFiles("nonsense\n1:2").isEmpty)
    }

    @Test func isSomething() { #expect((64 << 20...1 << 50).contains(MemoryLimit.bytes())) }
}

/// What is lent out over several shards.
@Suite struct BodyMemoryTests {
    @Test func lendsNoMoreThanThereIs() {
        let limit = BodyMemoryLimit(bytes: 10 << 20)
        let (one, other) = (BodyMemory(limit), BodyMemory(limit))
        #expect(one.take(6 << 20))
        #expect(other.take(3 << 20))
        #expect(!other.take(2 << 20))
        #expect(!one.take(4 << 20))
        one.giveBack(6 << 20)
        // One piece may stay at hand.
        #expect(other.take(5 << 20))
    }

    @Test func keepsLittleAtHand() {
        let limit = BodyMemoryLimit(bytes: 100 << 20)
        let memory = BodyMemory(limit)
        for _ in 0..<50 { #expect(memory.take(1 << 20)) }
        for _ in 0..<50 { memory.giveBack(1 << 20) }
        #expect(BodyMemory(limit).take(96 << 20))
    }
}
